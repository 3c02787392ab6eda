public import DVBackend
import DVFile
public import DVObject
import Synchronization
public import SystemPackage

/// A backend that reads what a web server serves: the files of a directory remote, or a bucket that is open to the public.
///
/// Nothing is asked of the server but GET and HEAD. What it cannot do, to list, is read from the listing that every push leaves
/// (``BackendListing``). Whoever answers is believed nothing: readers compare everything with its digest.
public final class HTTPBackend: Backend {
  private let endpoint: HTTPEndpoint
  private let exchange: HTTPExchange
  private let caller: RequestCaller
  private let clockSource: RetryClock
  /// Values that came whole although a range was asked for, newest last.
  private let whole = Mutex<[(key: BackendKey, bytes: [UInt8])]>([])
  private let listings = Mutex<[BackendListing.Part: BackendListing]>([:])

  private static let keptValues = 2

  /// - Parameters:
  ///   - endpoint: what all keys are below.
  ///   - tally: where its requests are counted.
  /// - Throws: ``BackendError`` if the settings name certificates that cannot be read.
  public convenience init(
    _ endpoint: HTTPEndpoint, http: HTTPSettings, tally: RequestTally = RequestTally()
  ) throws(BackendError) {
    let connections: HTTPConnections
    do { connections = try HTTPConnections.with(http) } catch {
      throw BackendError(.invalid, message: "Cannot reach \(endpoint): \(error.reason).", cause: error)
    }
    self.init(
      endpoint, exchange: { (request) async throws(TransportError) in try await connections.exchange(request) }, tally: tally)
  }

  init(
    _ endpoint: HTTPEndpoint, exchange: @escaping HTTPExchange, policy: RetryPolicy = RetryPolicy(),
    clock: RetryClock = .system, tally: RequestTally = RequestTally()
  ) {
    self.endpoint = endpoint
    self.exchange = exchange
    clockSource = clock
    caller = RequestCaller(policy: policy, clock: clock, tally: tally)
  }

  public var description: String { "\(endpoint)" }

  // MARK: - Reading

  public func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    try await ask("GET", key, limit: Int(BackendError.wholeReadLimit), holding: 8 << 20)?.body
  }

  public func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    let count = range.upperBound - range.lowerBound
    guard count <= BackendError.wholeReadLimit else {
      throw failure(.invalid, key, "read \(count) bytes of", "at most \(BackendError.wholeReadLimit) are read at once.")
    }
    if range.isEmpty {
      guard let size = try await size(of: key) else { return nil }
      guard range.upperBound <= size else { throw tooShort(key, range, size) }
      return []
    }
    if let bytes = whole.withLock({ $0.first { $0.key == key }?.bytes }) { return try slice(bytes, range, of: key) }
    // Fewer bytes than were asked for are an answer too: they say how many there are.
    guard
      let reply = try await ask(
        "GET", key, headers: [("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")],
        limit: Int(BackendError.wholeReadLimit), holding: Int(count), check: { RangeReply($0, asked: range).problem })
    else { return nil }
    if reply.status == 416 {
      guard let size = try await size(of: key) else { return nil }
      throw tooShort(key, range, size)
    }
    if reply.status == 200 {
      // The server knows no ranges. The next range of the same value is not to cost another whole one.
      if !key.isReplaceable { keep(reply.body, key) }
      return try slice(reply.body, range, of: key)
    }
    let answer = RangeReply(reply, asked: range)
    guard UInt64(answer.bytes.count) == count else { throw tooShort(key, range, answer.total) }
    return answer.bytes
  }

  public func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    guard let bytes = try await get(key) else { return nil }
    do throws(FileError) {
      try await BlockingThreads.run { () throws(FileError) in try file.createContent(bytes.span) }
    } catch {
      throw BackendError(
        BackendError.Code(error), key: key, message: "Cannot fetch '\(key)' from \(description): \(error.message)",
        cause: error)
    }
    return ObjectID(hashing: bytes.span)
  }

  public func size(of key: BackendKey) async throws(BackendError) -> UInt64? {
    let reply = try await ask(
      "HEAD", key, limit: 0, holding: 0,
      check: { $0.header("content-length").flatMap { UInt64($0) } == nil ? "the answer has no length" : nil })
    return reply?.header("content-length").flatMap { UInt64($0) }
  }

  public func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] {
    // Read anew for each look at the formats, which is how opening a store begins, and for each look at the roots.
    guard let part = BackendListing.Part(covering: prefix) else {
      throw failure(
        .invalid, nil, "list '\(TerminalSafe.text(prefix))' in",
        "a web server's listing does not cover it. Ask the directory or bucket behind it.")
    }
    if let known = listings.withLock({ $0[part] }), !prefix.hasPrefix("format"), !prefix.hasPrefix("roots") {
      if let entries = known.entries(prefix) { return entries }
    }
    guard let bytes = try await get(part.key) else {
      throw failure(
        .notFound, nil, "list",
        "there is no '\(part.key)'. Check the URL; if it is right, push once to the directory or bucket behind it, which leaves the listing."
      )
    }
    guard let read = BackendListing(decoding: bytes) else {
      throw failure(
        .corrupt, part.key, "list",
        "its listing is damaged, or this dv is too old for it. Push once to the directory or bucket behind it.")
    }
    listings.withLock { $0[part] = read }
    guard let entries = read.entries(prefix) else {
      throw failure(.corrupt, part.key, "list", "its listing covers less than it must. Push once to what is behind it.")
    }
    return entries
  }

  public func clock() async throws(BackendError) -> Int64 {
    guard let reply = try await ask("HEAD", BackendListing.Part.structure.key, limit: 0, holding: 0), let date = reply.date else {
      throw failure(.invalid, nil, "read the clock of", "the server does not say what time it is.")
    }
    return date
  }

  // MARK: - Writing

  public func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) { throw refusal("store", key) }

  public func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError) { throw refusal("store", key) }

  public func delete(_ key: BackendKey) async throws(BackendError) { throw refusal("delete", key) }

  private func refusal(_ verb: String, _ key: BackendKey) -> BackendError {
    BackendError(
      .denied, key: key,
      message:
        "Cannot \(verb) '\(key)' in \(description): a web server can only be read from. Push to the directory or bucket behind it."
    )
  }

  // MARK: - Steps

  /// Makes one request.
  ///
  /// - Returns: the answer, of status 200, 206 or 416; `nil` if nothing is there.
  private func ask(
    _ method: String, _ key: BackendKey, headers: [(String, String)] = [], limit: Int, holding memory: Int,
    check: @escaping @Sendable (HTTPReply) -> String? = { _ in nil }
  ) async throws(BackendError) -> HTTPReply? {
    let request = HTTPRequest(
      method: method, url: "\(endpoint)/\(key)", headers: headers + [("user-agent", "dv"), ("accept", "*/*")],
      limit: limit)
    let reply = try await caller.call(holding: memory) {
      let reply: HTTPReply
      self.caller.tally.request(method == "HEAD" ? .head : .get)
      do throws(TransportError) { reply = try await self.exchange(request) } catch { return self.outcome(of: error, key) }
      self.caller.tally.answer(reply.body.count)
      switch reply.status {
      case 200, 206:
        if let reason = check(reply) {
          return .again(self.failure(.unreachable, key, "read", "\(reason). Try again later."), TryOutcome.Reason())
        }
        return .done(reply)
      case 404, 410, 416: return .done(reply)
      case 401, 403, 407:
        return .failed(self.failure(.denied, key, "read", "the server answered \(reply.status): it refuses."))
      case 300..<400:
        let target = reply.header("location").map { " to '\(TerminalSafe.text(String($0.prefix(200))))'" } ?? ""
        return .failed(
          self.failure(.unreachable, key, "read", "the server points\(target). Give the remote the URL that it points to."))
      case 408, 425, 429, 500..<600:
        return .again(
          self.failure(.unreachable, key, "read", "the server answered \(reply.status). Try again later."),
          TryOutcome.Reason(wish: reply.retryAfter, isCongested: reply.status == 429 || reply.status == 503))
      default:
        return .failed(self.failure(.unreachable, key, "read", "the server answered \(reply.status). Check the URL."))
      }
    }
    return reply.status == 404 || reply.status == 410 ? nil : reply
  }

  private func outcome(of error: TransportError, _ key: BackendKey) -> TryOutcome {
    switch error.code {
    case .cancelled:
      .failed(failure(.unreachable, key, "read", "it was stopped. Run the command again: it goes on from there."))
    case .untrusted, .changedFile: .failed(failure(.denied, key, "read", "\(error.reason)."))
    case .unconnected, .interrupted, .malformed:
      .again(
        failure(.unreachable, key, "read", "\(error.reason). Check the network and the URL."),
        TryOutcome.Reason(isUnreached: error.code == .unconnected))
    case .stalled:
      .again(failure(.unreachable, key, "read", "\(error.reason). Try again later."), TryOutcome.Reason(isCongested: true))
    }
  }

  private func keep(_ bytes: [UInt8], _ key: BackendKey) {
    whole.withLock { whole in
      whole.removeAll { $0.key == key }
      if whole.count >= Self.keptValues { whole.removeFirst() }
      whole.append((key, bytes))
    }
  }

  private func slice(_ bytes: [UInt8], _ range: Range<UInt64>, of key: BackendKey) throws(BackendError) -> [UInt8] {
    guard range.upperBound <= UInt64(bytes.count) else { throw tooShort(key, range, UInt64(bytes.count)) }
    return Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
  }

  private func tooShort(_ key: BackendKey, _ range: Range<UInt64>, _ size: UInt64) -> BackendError {
    BackendError(
      .corrupt, key: key,
      message: "'\(key)' at \(description) has \(size) bytes, expected at least \(range.upperBound): it is truncated.")
  }

  private func failure(
    _ code: BackendError.Code, _ key: BackendKey?, _ act: String, _ rest: String
  ) -> BackendError {
    BackendError(
      code, key: key, message: "Cannot \(act) \(key.map { "'\($0)' at " } ?? "")\(description): \(rest)")
  }
}
