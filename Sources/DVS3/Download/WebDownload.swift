public import DVBackend
import DVFile
import Synchronization

/// Gets files from web servers: any size, through redirects, and on from where an earlier try or run stopped.
///
/// Who answers is believed nothing but that the bytes are what he has: whoever knows what they must be compares them.
public struct WebDownload: Sendable {
  private let http: @Sendable (HTTPEndpoint) throws -> HTTPSettings
  private let tally: RequestTally
  private let policy: RetryPolicy
  private let clock: RetryClock

  private static let redirectLimit = 10

  /// - Parameters:
  ///   - http: the proxy and certificates for a server.
  ///   - tally: where requests are counted.
  public init(tally: RequestTally = RequestTally(), http: @escaping @Sendable (HTTPEndpoint) throws -> HTTPSettings) {
    self.init(tally: tally, http: http, policy: RetryPolicy(), clock: .system)
  }

  init(
    tally: RequestTally, http: @escaping @Sendable (HTTPEndpoint) throws -> HTTPSettings, policy: RetryPolicy, clock: RetryClock
  ) {
    self.http = http
    self.tally = tally
    self.policy = policy
    self.clock = clock
  }

  /// Asks what is there, without its bytes.
  ///
  /// - Returns: `nil` if there is nothing; a version without members if the server does not say.
  public func look(at url: WebURL) async throws(BackendError) -> RemoteFileVersion? {
    try await repeating(url) { url async -> Step<RemoteFileVersion> in
      let exchanged = await exchange("HEAD", url, headers: [], to: Discard())
      switch exchanged {
      case .failure(let outcome): return .from(outcome)
      case .success(let reply):
        switch reply.status {
        case 200..<300: return .done(RemoteFileVersion(reply))
        // A server may serve a file and no questions about it.
        case 400, 401, 403, 405, 500, 501: return .done(RemoteFileVersion())
        default: return judge(reply, url, "look at")
        }
      }
    }
  }

  /// Brings a file here.
  ///
  /// - Parameters:
  ///   - file: what of it is here already is not asked for again, if the server tells that it is of the same value.
  ///   - progress: told how many more bytes came.
  /// - Returns: what the server said of it; `nil` if there is nothing.
  public func fetch(
    _ url: WebURL, into file: PartialFile, progress: @escaping @Sendable (UInt64) -> Void = { _ in }
  ) async throws(BackendError) -> RemoteFileVersion? {
    try await repeating(url) { url async -> Step<RemoteFileVersion> in
      let before = file.size
      // All of it came, and the last words did not.
      if before > 0, file.version?.size == before, let version = file.version { return .done(version) }
      var headers: [(String, String)] = []
      if before > 0, let condition = file.version?.condition {
        headers = [("range", "bytes=\(before)-"), ("if-range", condition)]
      }
      let receiver = Arrival(file, progress: progress)
      let exchanged = await exchange("GET", url, headers: headers, to: receiver)
      if let failure = receiver.failure {
        return .failed(
          BackendError(BackendError.Code(failure), message: "Cannot keep what comes from '\(url)': \(failure.message)", cause: failure))
      }
      switch exchanged {
      case .failure(let outcome): return .from(outcome, progressed: file.size > before)
      case .success(let reply):
        switch reply.status {
        case 200, 206:
          let version = file.version ?? RemoteFileVersion(reply)
          guard version.size == nil || version.size == file.size else {
            if file.size > version.size ?? 0 { _ = try? file.restart() }
            return .again(failure(.unreachable, url, "read", "the answer ended too early. Try again later."), wish: nil, progressed: file.size > before)
          }
          return .done(version)
        case 416:
          do throws(FileError) { try file.restart() } catch {
            return .failed(failure(.denied, url, "read", error.message))
          }
          return .again(failure(.unreachable, url, "read", "it changed meanwhile. Try again later."), wish: nil, progressed: false)
        default: return judge(reply, url, "read")
        }
      }
    }
  }

  // MARK: - Tries

  /// What one request came to.
  private enum Step<Value: Sendable> {
    case done(Value)
    case absent
    case moved(WebURL)
    case again(BackendError, wish: Duration?, progressed: Bool)
    case failed(BackendError)

    static func from(_ outcome: TryOutcomeError, progressed: Bool = false) -> Self {
      outcome.mayHelpAgain ? .again(outcome.error, wish: nil, progressed: progressed) : .failed(outcome.error)
    }
  }

  private struct TryOutcomeError: Error {
    let error: BackendError
    let mayHelpAgain: Bool
  }

  private func repeating<Value: Sendable>(
    _ start: WebURL, _ attempt: (WebURL) async -> Step<Value>
  ) async throws(BackendError) -> Value? {
    var url = start
    var redirects = 0
    var failures = 0
    var begun = clock.now()
    while true {
      switch await attempt(url) {
      case .done(let value): return value
      case .absent: return nil
      case .failed(let error): throw error
      case .moved(let target):
        redirects += 1
        guard redirects <= Self.redirectLimit else {
          throw failure(.invalid, start, "read", "the server redirects again and again. Check the URL.")
        }
        url = target
      case .again(let error, let wish, let progressed):
        // As long as something comes, it is worth going on.
        if progressed { (failures, begun) = (0, clock.now()) }
        failures += 1
        // A redirect may lead elsewhere next time.
        (url, redirects) = (start, 0)
        guard !Task.isCancelled, let pause = policy.pause(after: failures, elapsed: clock.now() - begun, wish: wish, random: clock.random())
        else { throw error }
        tally.retry()
        await clock.pause(pause)
      }
    }
  }

  private func exchange(
    _ method: String, _ url: WebURL, headers: [(String, String)], to receiver: some BodyReceiver
  ) async -> Result<HTTPReply, TryOutcomeError> {
    let connections: HTTPConnections
    do { connections = try HTTPConnections.with(try http(url.endpoint)) } catch {
      return .failure(TryOutcomeError(error: failure(.invalid, url, "reach", "\(error)."), mayHelpAgain: false))
    }
    tally.request(method == "HEAD" ? .head : .get)
    let request = HTTPRequest(
      method: method, url: url.description, headers: headers + [("user-agent", "dv"), ("accept", "*/*")], limit: 0)
    do throws(TransportError) { return .success(try await connections.stream(request, to: receiver)) } catch {
      switch error.code {
      case .cancelled:
        return .failure(
          TryOutcomeError(error: failure(.unreachable, url, "read", "it was stopped. Run the command again: it goes on from there."), mayHelpAgain: false))
      case .untrusted, .changedFile:
        return .failure(TryOutcomeError(error: failure(.denied, url, "read", "\(error.reason)."), mayHelpAgain: false))
      case .unconnected, .interrupted, .malformed, .stalled:
        return .failure(
          TryOutcomeError(error: failure(.unreachable, url, "read", "\(error.reason). Check the network and the URL."), mayHelpAgain: true))
      }
    }
  }

  /// What an answer that is no success means.
  private func judge<Value>(_ reply: HTTPReply, _ url: WebURL, _ act: String) -> Step<Value> {
    switch reply.status {
    case 404, 410: return .absent
    case 301, 302, 303, 307, 308:
      guard let location = reply.header("location") else {
        return .failed(failure(.invalid, url, act, "the server redirects to nowhere. Check the URL."))
      }
      do throws(HTTPEndpoint.Malformed) { return .moved(try url.redirected(to: location)) } catch {
        return .failed(failure(.denied, url, act, "it redirects where dv does not follow: \(error)"))
      }
    case 401, 403, 407: return .failed(failure(.denied, url, act, "the server answered \(reply.status): it refuses."))
    case 408, 425, 429, 500..<600:
      return .again(
        failure(.unreachable, url, act, "the server answered \(reply.status). Try again later."), wish: reply.retryAfter, progressed: false)
    default: return .failed(failure(.invalid, url, act, "the server answered \(reply.status). Check the URL."))
    }
  }

  private func failure(_ code: BackendError.Code, _ url: WebURL, _ act: String, _ rest: String) -> BackendError {
    BackendError(code, message: "Cannot \(act) '\(TerminalSafe.text(url.description))': \(rest)")
  }
}

/// Takes no body.
private final class Discard: BodyReceiver {
  func begin(_ head: HTTPReply) -> Bool { false }
  func take(_ bytes: [UInt8]) {}
}

/// Writes a body into its file.
private final class Arrival: BodyReceiver {
  private let file: PartialFile
  private let progress: @Sendable (UInt64) -> Void
  private let problem = Mutex<FileError?>(nil)

  init(_ file: PartialFile, progress: @escaping @Sendable (UInt64) -> Void) {
    self.file = file
    self.progress = progress
  }

  /// What the disk refused.
  var failure: FileError? { problem.withLock { $0 } }

  func begin(_ head: HTTPReply) throws -> Bool {
    guard head.status == 200 || head.status == 206 else { return false }
    var offset: UInt64 = 0
    if head.isPart {
      // `bytes 100-199/200`
      guard let start = head.header("content-range")?.dropFirst("bytes ".count).prefix(while: \.isNumber), let first = UInt64(start),
        first == file.size
      else { throw TransportError(code: .malformed, reason: "the answer has another range than was asked for") }
      offset = first
    }
    try keeping { () throws(FileError) in try file.begin(RemoteFileVersion(head), at: offset) }
    // Another value than the one whose start is here: what comes is not its start.
    if offset > 0, file.size != offset { throw TransportError(code: .interrupted, reason: "it changed meanwhile") }
    return true
  }

  func take(_ bytes: [UInt8]) throws {
    try keeping { () throws(FileError) in try file.append(bytes) }
    progress(UInt64(bytes.count))
  }

  private func keeping(_ body: () throws(FileError) -> Void) throws(FileError) {
    do throws(FileError) { try body() } catch {
      problem.withLock { $0 = error }
      throw error
    }
  }
}
