import Crypto

/// One request, ready to be sent.
struct HTTPRequest: Sendable {
  enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// Read from the file in pieces while it is sent.
    case file(FileSlice)

    /// Bytes.
    var count: Int {
      switch self {
      case .none: 0
      case .bytes(let bytes): bytes.count
      case .file(let slice): slice.count
      }
    }

    /// The MD5 of what was sent, in hex; `nil` for a file that was not sent or whose MD5 is not noted.
    var md5: String? {
      switch self {
      case .none: nil
      case .bytes(let bytes): Insecure.MD5.hash(data: bytes).hex
      case .file(let slice): slice.md5
      }
    }
  }

  var method: String
  /// The whole URL, percent-encoded as it must be sent.
  var url: String
  /// Without `host` and `content-length`, which follow from the rest.
  var headers: [(String, String)]
  var body: Body = .none
  /// Bytes of the answer's body that are taken; a longer one is a failure.
  var limit: Int
  /// How long it may take as a whole; `nil` for as long as it goes on.
  var timeout: Duration? = nil
}

/// A whole answer.
struct HTTPReply: Sendable {
  let status: Int
  /// Names in lower case.
  let headers: [(String, String)]
  let body: [UInt8]

  /// Returns the first header of that name, in lower case.
  func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
}

/// Why there is no answer to a request.
struct TransportError: Error, Sendable {
  enum Code: Hashable, Sendable {
    /// No connection: no such host, refused, no route.
    case unconnected
    /// The server's certificate is not one this machine trusts.
    case untrusted
    /// The connection ended, or nothing went on for too long, before the answer was complete.
    case interrupted
    /// Nothing went on for too long.
    case stalled
    /// The answer is longer than was allowed, or no HTTP.
    case malformed
    /// The file that was being sent is not what was announced.
    case changedFile
    /// The task was cancelled.
    case cancelled
  }

  let code: Code
  /// What happened, to follow a colon.
  let reason: String
}

/// Makes one request and waits for the whole answer: over a network, or in tests from a script.
typealias HTTPExchange = @Sendable (HTTPRequest) async throws(TransportError) -> HTTPReply
