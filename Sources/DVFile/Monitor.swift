#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A value behind a lock, on whose changes threads can wait.
///
/// For threads that may block, never for tasks: a task that waits here would hold a thread of the cooperative pool.
@safe public final class Monitor<Value: Sendable>: @unchecked Sendable {
  // Sendable because `value` is only touched with the mutex held. Both live at a fixed address, as POSIX asks.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var value: Value

  public init(_ value: Value) {
    self.value = value
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe condition.initialize(to: pthread_cond_t())
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Who of those who wait is to look at the value again. A thread that wakes for nothing costs some microseconds.
  public enum Waking: Sendable {
    /// All: for a change that anybody may wait for.
    case all
    /// One of them: where all who wait would do the same.
    case one
    /// None: for a change that nobody waits for.
    case nobody
  }

  /// Runs `body` with the value to itself, then wakes those who wait.
  public func withLock<R, E: Error>(waking: Waking = .all, _ body: (inout Value) throws(E) -> R) throws(E) -> R {
    unsafe pthread_mutex_lock(mutex)
    defer { unlock(waking) }
    return try body(&value)
  }

  private func unlock(_ waking: Waking) {
    switch waking {
    case .all: unsafe pthread_cond_broadcast(condition)
    case .one: unsafe pthread_cond_signal(condition)
    case .nobody: break
    }
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Blocks this thread until `body` returns something, asking it again after every change that wakes it.
  ///
  /// - Parameter waking: Who is to look at what `body` changed when it returned something.
  public func wait<R>(waking: Waking = .all, for body: (inout Value) -> R?) -> R {
    unsafe pthread_mutex_lock(mutex)
    defer { unlock(waking) }
    while true {
      if let result = body(&value) { return result }
      unsafe pthread_cond_wait(condition, mutex)
    }
  }
}
