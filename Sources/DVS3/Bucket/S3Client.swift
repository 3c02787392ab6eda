import DVBackend
import DVFile
import DVObject
import Synchronization

/// A request about a bucket or a key in it, before it is addressed and signed.
struct S3Request: Sendable {
  var method = "GET"
  /// What is being done, for messages: `read 'packs/3f…' from`.
  let act: String
  /// The key of the store, for errors.
  var key: BackendKey?
  /// The whole key in the bucket; `nil` for a request about the bucket.
  var object: String?
  var query: [(String, String)] = []
  var headers: [(String, String)] = []
  /// Headers that only help: left out once the server refused one.
  var hints: [(String, String)] = []
  var body = HTTPRequest.Body.none
  /// SHA-256 of the body in hex.
  var payloadHash = RequestSignature.emptyPayload
  /// Bytes of the answer's body that are taken.
  var limit = 1 << 20
  /// Whether the body of a success is what somebody stored.
  var carriesObject = false
  /// Returns why a success is none, so that the request must be made again.
  var check: @Sendable (HTTPReply) -> String? = { _ in nil }

  /// What it counts as.
  var kind: RequestTally.Kind {
    switch method {
    case "GET": object == nil ? .list : .get
    case "HEAD": .head
    case "PUT": .put
    case "DELETE": .delete
    default: .post
    }
  }
}

/// An answer that the caller can go on with.
struct S3Response: Sendable {
  enum Kind: Hashable, Sendable {
    case success, absent, exists, outOfRange
    /// The server does not know the request.
    case unsupported
    /// The server found another digest than was announced.
    case otherDigest
  }

  let kind: Kind
  let reply: HTTPReply
}

/// Addresses, signs and judges requests to one bucket.
///
/// It learns as it goes: the bucket's region, how far the server's clock is from this machine's, and which hints the server
/// refuses.
final class S3Client: Sendable {
  let settings: S3Settings
  private let credentials: CredentialChain?
  private let exchange: HTTPExchange
  let caller: RequestCaller
  private let clock: RetryClock
  private let wallClock: @Sendable () -> Int64
  private let state: Mutex<State>

  private struct State {
    var region: String
    /// Seconds by which the server's clock is ahead.
    var skew: Int64 = 0
    var takesHints: Bool
    var isBucketSeen = false
    /// What the server said its time was, and when.
    var date: (server: Int64, at: Duration)?
  }

  /// - Parameters:
  ///   - credentials: what to sign with; `nil` only if the settings say that requests go unsigned.
  ///   - takesHints: whether hints are sent, until the server refuses one.
  ///   - tally: where the requests are counted.
  ///   - wallClock: seconds since 1970.
  init(
    _ settings: S3Settings, credentials: CredentialChain?, takesHints: Bool = true, exchange: @escaping HTTPExchange,
    policy: RetryPolicy = RetryPolicy(), clock: RetryClock = .system, tally: RequestTally = RequestTally(),
    wallClock: @escaping @Sendable () -> Int64 = { FileTime.now.seconds }
  ) {
    self.settings = settings
    self.credentials = credentials
    self.exchange = exchange
    self.clock = clock
    self.wallClock = wallClock
    caller = RequestCaller(policy: policy, clock: clock, tally: tally)
    state = Mutex(State(region: settings.region ?? "us-east-1", takesHints: takesHints))
  }

  /// The place, for messages.
  var place: String {
    settings.endpoint.map { "'\(settings.location)' at \($0)" } ?? "'\(settings.location)'"
  }

  /// Whether the server has not refused a hint.
  var takesHints: Bool { state.withLock { $0.takesHints } }

  /// Whether some answer showed that the bucket is there.
  var isBucketSeen: Bool { state.withLock { $0.isBucketSeen } }

  /// The server's time if it said what it is within the last `age`, in seconds since 1970.
  func time(within age: Duration) -> Int64? {
    let now = clock.now()
    return state.withLock { state in
      guard let date = state.date, now - date.at <= age else { return nil }
      return date.server + (now - date.at).components.seconds
    }
  }

  /// Makes a request, again and again while that may help.
  ///
  /// - Parameter memory: bytes that the request holds in memory while it is under way.
  func send(_ request: S3Request, holding memory: Int) async throws(BackendError) -> S3Response {
    let record = CallRecord()
    let reply = try await caller.call(holding: memory) { await self.attempt(request, record) }
    return S3Response(kind: record.kind, reply: reply)
  }

  /// What one call has tried so far.
  private final class CallRecord: Sendable {
    struct Done {
      var kind = S3Response.Kind.success
      var regions = 0
      var hasRenewed = false
      var hasCorrected = false
    }

    let done = Mutex(Done())

    var kind: S3Response.Kind {
      get { done.withLock { $0.kind } }
      set { done.withLock { $0.kind = newValue } }
    }
  }

  private func attempt(_ request: S3Request, _ record: CallRecord) async -> TryOutcome {
    let (region, skew, takesHints) = state.withLock { ($0.region, $0.skew, $0.takesHints) }
    let signer: AWSCredentials?
    do throws(BackendError) { signer = try await currentCredentials(for: request) } catch { return .failed(error) }
    let hints = takesHints ? request.hints : []
    let time = wallClock() + skew
    let sent = signed(request, hints: hints, by: signer, region: region, at: time)
    let reply: HTTPReply
    caller.tally.request(request.kind, sending: sent.body.count)
    do throws(TransportError) { reply = try await exchange(sent) } catch { return outcome(of: error, request) }
    caller.tally.answer(reply.body.count)

    let date = reply.date
    if let date { note(date) }
    let verdict = S3Verdict(reply, carriesObject: request.carriesObject, region: region, skew: date.map { $0 - time } ?? 0)
    switch verdict {
    case .success:
      state.withLock { $0.isBucketSeen = true }
      if let reason = request.check(reply) {
        return .again(failure(.unreachable, request, reason, "Try again later."), TryOutcome.Reason())
      }
      record.kind = .success
    case .absent: record.kind = .absent
    case .exists: record.kind = .exists
    case .outOfRange: record.kind = .outOfRange
    case .noBucket:
      return .failed(
        failure(
          .notFound, request, "there is no bucket '\(settings.location.bucket)'",
          "Make the bucket, or correct the remote's URL, region or endpoint."))
    case .again(let reason, let isCongested):
      return .again(
        failure(.unreachable, request, reason, "Try again later."),
        TryOutcome.Reason(wish: reply.retryAfter, isCongested: isCongested))
    case .otherRegion(let other):
      guard record.done.withLock({ $0.regions += 1; return $0.regions <= 2 }) else {
        return .failed(failure(.denied, request, "the bucket is said to be in region '\(other)'", "Set the remote's region."))
      }
      state.withLock { $0.region = other }
      return .again(
        failure(.denied, request, "the bucket is in region '\(other)'", "Set the remote's region."),
        TryOutcome.Reason(isPutRight: true))
    case .expired:
      let error = failure(.denied, request, "the credentials have expired", "Sign in again, or renew them.")
      guard let credentials, record.done.withLock({ !exchangeValue(&$0.hasRenewed, true) }) else { return .failed(error) }
      credentials.invalidate(signer)
      return .again(error, TryOutcome.Reason(isPutRight: true))
    case .skewed:
      let error = failure(.denied, request, "this machine's clock is wrong", "Set it; the server says when it is.")
      guard let date, record.done.withLock({ !exchangeValue(&$0.hasCorrected, true) }) else { return .failed(error) }
      state.withLock { $0.skew = date - wallClock() }
      return .again(error, TryOutcome.Reason(isPutRight: true))
    case .denied(let reason):
      let error = failure(.denied, request, reason, "Check the credentials and what they may do in this bucket.")
      // The answer to HEAD does not say why: the credentials' term may be over, or this machine's clock was wrong.
      guard request.method == "HEAD", let credentials, record.done.withLock({ !exchangeValue(&$0.hasRenewed, true) }) else { return .failed(error) }
      credentials.invalidate(signer)
      return .again(error, TryOutcome.Reason(isPutRight: true))
    case .noSpace(let reason):
      return .failed(failure(.noSpace, request, reason, "Free some space there or raise the limit."))
    case .unsupported, .refused, .otherDigest:
      // A hint may be what the server does not know.
      if !hints.isEmpty, verdict.mayComeFromHints {
        state.withLock { $0.takesHints = false }
        return .again(
          failure(.invalid, request, verdict.reason, "The server may not be compatible."), TryOutcome.Reason(isPutRight: true))
      }
      switch verdict {
      case .unsupported: record.kind = .unsupported
      case .otherDigest: record.kind = .otherDigest
      default: return .failed(failure(.unreachable, request, verdict.reason, "If it does so again, check the remote's settings."))
      }
    }
    if verdict != .absent, verdict != .success { state.withLock { $0.isBucketSeen = true } }
    return .done(reply)
  }

  private func currentCredentials(for request: S3Request) async throws(BackendError) -> AWSCredentials? {
    if settings.isAnonymous { return nil }
    guard let credentials else { throw failure(.denied, request, "there are no credentials", "Set some.") }
    let found: AWSCredentials?
    do throws(CredentialError) { found = try await credentials.current() } catch {
      throw BackendError(
        error.code == .unreachable ? .unreachable : .denied, key: request.key,
        message: "Cannot \(request.act) \(place): \(error.message)", cause: error)
    }
    if let found { return found }
    throw failure(
      .denied, request, "no credentials were found in \(credentials.explanation)",
      "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile; for a public bucket, 'dv config remote.NAME.anonymous true'.")
  }

  private func signed(
    _ request: S3Request, hints: [(String, String)], by credentials: AWSCredentials?, region: String, at time: Int64
  ) -> HTTPRequest {
    let base = settings.base(region: region)
    let path =
      if let object = request.object { base.path + PercentEncoding.path(object) } else {
        base.path.count > 1 ? String(base.path.dropLast()) : base.path
      }
    var headers = request.headers + hints
    if settings.requesterPays { headers.append(("x-amz-request-payer", "requester")) }
    headers.append(("host", base.authority))
    if let credentials {
      headers += RequestSignature.headers(
        method: request.method, path: path, query: request.query, headers: headers, payloadHash: request.payloadHash,
        credentials: credentials, region: region, time: time)
    }
    headers.append(("user-agent", "dv"))
    let query = request.query.isEmpty ? "" : "?" + PercentEncoding.query(request.query)
    return HTTPRequest(
      method: request.method, url: base.origin + path + query, headers: headers, body: request.body, limit: request.limit)
  }

  private func note(_ date: Int64) {
    let now = clock.now()
    state.withLock { $0.date = (date, now) }
  }

  private func outcome(of error: TransportError, _ request: S3Request) -> TryOutcome {
    switch error.code {
    case .cancelled: .failed(failure(.unreachable, request, error.reason, "Run the command again: it goes on from there."))
    case .untrusted:
      .failed(failure(.denied, request, error.reason, "Check the endpoint, and the certificates in AWS_CA_BUNDLE."))
    case .changedFile: .failed(failure(.corrupt, request, error.reason, "Nothing was stored; try again."))
    case .unconnected:
      .again(
        failure(.unreachable, request, error.reason, "Check the network and the remote's endpoint."),
        TryOutcome.Reason(isUnreached: true))
    case .interrupted, .malformed:
      .again(failure(.unreachable, request, error.reason, "Try again later."), TryOutcome.Reason())
    case .stalled:
      .again(failure(.unreachable, request, error.reason, "Try again later."), TryOutcome.Reason(isCongested: true))
    }
  }

  /// An answer that makes no sense to what was asked: of a proxy with troubles of its own, or of a server that is none of S3's.
  func oddAnswer(_ response: S3Response, to request: S3Request) -> BackendError {
    failure(
      .unreachable, request, "the server answered \(response.reply.status), which is no answer to that",
      "Try again; if it always does so, it is not compatible with S3.")
  }

  /// Says what could not be done and why.
  func failure(
    _ code: BackendError.Code, _ request: S3Request, _ reason: String, _ remedy: String, cause: (any Error)? = nil
  ) -> BackendError {
    BackendError(code, key: request.key, message: "Cannot \(request.act) \(place): \(reason). \(remedy)", cause: cause)
  }
}

/// Sets `value` and returns what it was.
private func exchangeValue(_ value: inout Bool, _ new: Bool) -> Bool {
  defer { value = new }
  return value
}

extension S3Verdict {
  /// Whether a header that the server does not know can be the cause.
  fileprivate var mayComeFromHints: Bool { if case .otherDigest = self { false } else { true } }

  fileprivate var reason: String {
    switch self {
    case .unsupported(let reason), .refused(let reason), .otherDigest(let reason), .denied(let reason),
      .noSpace(let reason), .again(let reason, _):
      reason
    default: "\(self)"
    }
  }
}
