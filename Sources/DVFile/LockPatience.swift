public import SystemPackage

/// How long somebody waits for a lock that another process holds, and who is told.
public struct LockPatience: Sendable {
  /// What holds for the current task and those it starts.
  @TaskLocal public static var current = LockPatience()

  /// The longest wait.
  public let limit: Duration
  /// Called once, with the lock's path, when the wait has lasted for a second.
  let notice: @Sendable (FilePath) -> Void

  /// How long dv waits unless told otherwise.
  public static let standardLimit = Duration.seconds(300)

  public init(limit: Duration = standardLimit, notice: @escaping @Sendable (FilePath) -> Void = { _ in }) {
    self.limit = limit
    self.notice = notice
  }

  /// Calls `attempt` until it returns something.
  ///
  /// - Returns: `nil` if the wait was too long.
  func wait<Value: ~Copyable, Failure: Error>(
    for path: FilePath, _ attempt: () throws(Failure) -> Value?
  ) throws(Failure) -> Value? {
    let clock = ContinuousClock()
    let start = clock.now
    var pause = Duration.milliseconds(1)
    var isTold = false
    while true {
      if let value = try attempt() { return value }
      let waited = clock.now - start
      if waited >= limit { return nil }
      if waited >= .seconds(1), !isTold {
        isTold = true
        notice(path)
      }
      SystemCall.sleep(min(pause, limit - waited))
      pause = min(pause * 2, .milliseconds(100))
    }
  }
}
