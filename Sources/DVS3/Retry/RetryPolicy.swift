/// How often and how long a request is tried.
///
/// Pauses are drawn from 0 to a bound that doubles ("full jitter"): whoever failed at the same moment must not come back at
/// the same moment. (AWS Architecture Blog, "Exponential Backoff and Jitter".)
struct RetryPolicy: Hashable, Sendable {
  /// Tries, the first one included.
  var tries = 10
  /// The bound of the first pause.
  var firstPause = Duration.milliseconds(100)
  /// The bound of the longest pause.
  var longestPause = Duration.seconds(20)
  /// How long after the start of a call another try may begin.
  var total = Duration.seconds(300)

  /// Returns how long to wait before another try, or `nil` if there is to be none.
  ///
  /// - Parameters:
  ///   - failures: tries that have failed, at least 1.
  ///   - elapsed: time since the first one began.
  ///   - wish: what the server asked for.
  ///   - random: from 0 up to, not including, 1.
  func pause(after failures: Int, elapsed: Duration, wish: Duration? = nil, random: Double) -> Duration? {
    guard failures < tries else { return nil }
    let bound = min(longestPause, firstPause * Double(1 << min(failures - 1, 30)))
    var pause = bound * random
    // A server that asks for more is obeyed as far as there is time for it.
    if let wish { pause = max(pause, wish) }
    return elapsed + pause <= total ? pause : nil
  }
}

/// The passing of time, as an argument, so that tests of pauses do not sleep.
struct RetryClock: Sendable {
  /// Time since some moment before.
  let now: @Sendable () -> Duration
  /// Waits; returns early if the task is cancelled.
  let pause: @Sendable (Duration) async -> Void
  /// Returns a number from 0 up to, not including, 1.
  let random: @Sendable () -> Double

  static let system: RetryClock = {
    let start = ContinuousClock.now
    return RetryClock(
      now: { ContinuousClock.now - start }, pause: { try? await Task.sleep(for: $0) }, random: { Double.random(in: 0..<1) })
  }()
}
