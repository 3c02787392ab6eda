import DVBackend
import Synchronization

/// What one try of a request came to.
enum TryOutcome: Sendable {
  case done(HTTPReply)
  /// Another try may succeed; the error says what to report if there is none.
  case again(BackendError, Reason)
  case failed(BackendError)

  struct Reason: Hashable, Sendable {
    /// How long the server asks to wait.
    var wish: Duration?
    /// Whether the server asks for fewer requests at a time.
    var isCongested = false
    /// Whether no server was reached. Each such try counts as two: a wrong name or a server that is down should be told in seconds.
    var isUnreached = false
    /// Whether something was put right that made the try fail, such as credentials or the clock: no pause is needed.
    var isPutRight = false
  }
}

/// Makes requests to one remote: each in its turn, and again while that may help.
final class RequestCaller: Sendable {
  let limiter: RequestLimiter
  private let policy: RetryPolicy
  private let clock: RetryClock
  private let count = Mutex((requests: 0, retries: 0))

  init(policy: RetryPolicy = RetryPolicy(), clock: RetryClock = .system) {
    limiter = RequestLimiter(clock: clock)
    self.policy = policy
    self.clock = clock
  }

  /// Requests made so far, and how many of them repeated another.
  var counts: (requests: Int, retries: Int) { count.withLock { $0 } }

  /// Calls `attempt` until it is done, fails for good, or has failed too often.
  ///
  /// - Parameter bytes: how much memory one try holds.
  func call(
    holding bytes: Int, _ attempt: @Sendable () async -> TryOutcome
  ) async throws(BackendError) -> HTTPReply {
    let start = clock.now()
    var failures = 0
    while true {
      let turn = await limiter.enter(bytes: bytes)
      count.withLock { $0.requests += 1 }
      let outcome = await attempt()
      switch outcome {
      case .done(let reply):
        limiter.leave(turn, moved: max(bytes, reply.body.count))
        return reply
      case .failed(let error):
        limiter.leave(turn, moved: nil)
        throw error
      case .again(let error, let reason):
        limiter.leave(turn, moved: nil, isCongested: reason.isCongested)
        failures += reason.isUnreached ? 2 : 1
        guard !Task.isCancelled,
          let pause = policy.pause(
            after: failures, elapsed: clock.now() - start, wish: reason.wish, random: clock.random())
        else { throw error }
        count.withLock { $0.retries += 1 }
        if !reason.isPutRight { await clock.pause(pause) }
      }
    }
  }
}
