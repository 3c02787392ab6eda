import AsyncHTTPClient
import DVFile
import NIOCore
import NIOPosix
import NIOSSL

extension TransportError {
  /// Says what an error of async-http-client or NIO means.
  init(_ error: any Error, isCancelled: Bool) {
    if isCancelled {
      self.init(code: .cancelled, reason: "it was stopped")
      return
    }
    switch error {
    case let error as TransportError: self = error
    case let error as ReplyCollector.Excess:
      self.init(code: .malformed, reason: "the answer has more than the \(error.limit) bytes that were asked for")
    case let error as NIOConnectionError:
      let cause = error.connectionErrors.first?.error ?? error.dnsAError ?? error.dnsAAAAError
      self.init(
        code: .unconnected,
        reason: "no connection to '\(TerminalSafe.text(error.host))' port \(error.port)\(cause.map { ": \(Self.text($0))" } ?? "")")
    case let error as HTTPClientError: self.init(error)
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
      self.init(code: .untrusted, reason: "no secure connection: \(Self.text(error))")
    default:
      // Resets, broken pipes and what else the system says of a connection.
      self.init(code: .interrupted, reason: Self.text(error))
    }
  }

  private init(_ error: HTTPClientError) {
    switch error {
    case .connectTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout, .getConnectionFromPoolTimeout:
      self.init(code: .unconnected, reason: "the server did not take the connection in time")
    case .readTimeout, .writeTimeout, .deadlineExceeded:
      self.init(code: .stalled, reason: "nothing went on for too long")
    case .proxyAuthenticationRequired:
      self.init(code: .untrusted, reason: "the proxy asks for a user name and password")
    case .invalidURL, .emptyHost, .emptyScheme:
      self.init(code: .malformed, reason: "the URL makes no sense")
    default: self.init(code: .interrupted, reason: error.shortDescription)
    }
  }

  private static func text(_ error: any Error) -> String { TerminalSafe.text(String("\(error)".prefix(300))) }
}
