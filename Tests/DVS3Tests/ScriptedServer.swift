import DVBackend
import Synchronization

@testable import DVS3

/// Answers requests from a script, and remembers them. Time passes only when somebody pauses.
final class ScriptedServer: Sendable {
  typealias Answer = @Sendable (HTTPRequest) -> Result<HTTPReply, TransportError>

  private struct State {
    var answers: [Answer]
    var requests: [HTTPRequest] = []
    var pauses: [Duration] = []
    var now = Duration.zero
  }

  private let state: Mutex<State>

  init(_ answers: [Answer]) { state = Mutex(State(answers: answers)) }

  convenience init(_ replies: HTTPReply...) { self.init(replies.map { reply in { _ in .success(reply) } }) }

  var requests: [HTTPRequest] { state.withLock { $0.requests } }
  var pauses: [Duration] { state.withLock { $0.pauses } }

  /// The last answer is given again and again.
  var exchange: HTTPExchange {
    { [self] (request) async throws(TransportError) in
      let answer = state.withLock { state in
        state.requests.append(request)
        return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
      }
      return try answer(request).get()
    }
  }

  var clock: RetryClock {
    RetryClock(
      now: { self.state.withLock { $0.now } },
      pause: { pause in
        self.state.withLock { state in
          state.pauses.append(pause)
          state.now += pause
        }
      }, random: { 0.5 })
  }

  static let keys = AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "secret")

  /// A client of this server.
  func client(
    endpoint: String? = "http://server.test:9000", region: String? = nil, chain: CredentialChain? = nil,
    wallClock: @escaping @Sendable () -> Int64 = { 1_700_000_000 }
  ) throws -> S3Client {
    let settings = S3Settings(
      location: try S3Location("s3://bucket/some/prefix"), endpoint: try endpoint.map { try HTTPEndpoint($0) }, region: region)
    let chain = chain ?? CredentialChain([StaticCredentials(Self.keys)], now: wallClock)
    return S3Client(settings, credentials: chain, exchange: exchange, clock: clock, wallClock: wallClock)
  }

  func backend(_ capabilities: S3Capabilities = .untested) throws -> S3Backend {
    S3Backend(client: try client(), capabilities: capabilities)
  }
}

extension HTTPReply {
  init(_ status: Int, _ headers: [(String, String)] = [], _ text: String = "") {
    self.init(status: status, headers: headers, body: Array(text.utf8))
  }

  static func error(_ status: Int, _ code: String, _ more: String = "", headers: [(String, String)] = []) -> HTTPReply {
    HTTPReply(status, headers, "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>why</Message>\(more)</Error>")
  }
}

extension HTTPRequest {
  func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
}
