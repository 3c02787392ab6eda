#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Threads for work that blocks, such as reading a disk, so that the few threads that all tasks share stay free.
public enum BlockingThreads {
  /// Runs `body` on a thread of its own and waits for it without holding a thread of the cooperative pool.
  ///
  /// At most ``width`` run at once; more wait their turn. Therefore `body` must not wait for another one.
  public static func run<R: Sendable, E: Error>(_ body: @escaping @Sendable () throws(E) -> R) async throws(E) -> R {
    let plan = FaultPlan.current
    return try await withCheckedContinuation { (continuation: CheckedContinuation<Result<R, E>, Never>) in
      pool.submit {
        FaultPlan.inheriting(plan) {
          do throws(E) { continuation.resume(returning: .success(try body())) } catch {
            continuation.resume(returning: .failure(error))
          }
        }
      }
    }.get()
  }

  /// How many may run at once: enough to keep a disk's queue full, few enough for the memory of their stacks.
  public static let width = max(16, 4 * Machine.coreCount)

  /// Runs `body` for the parts of `0..<count`, one for each core but none shorter than `least`, and returns what it makes of
  /// them, in order.
  ///
  /// The first part runs on this thread, which is blocked until all are done, the others on threads of their own.
  static func runParts<R: Sendable>(
    of count: Int, atLeast least: Int, _ body: @escaping @Sendable (Range<Int>) -> R
  ) -> [R] {
    let parts = max(1, min(Machine.coreCount, count / least))
    if parts == 1 { return [body(0..<count)] }
    let range = { @Sendable (part: Int) in count * part / parts..<count * (part + 1) / parts }
    let plan = FaultPlan.current
    let results = Monitor([R?](repeating: nil, count: parts))
    let run = { @Sendable (part: Int) in
      let result = body(range(part))
      results.withLock { $0[part] = result }
    }
    for part in 1..<parts where !start({ FaultPlan.inheriting(plan) { run(part) } }) { run(part) }
    run(0)
    return results.wait { results in
      let done = results.compactMap(\.self)
      return done.count == parts ? done : nil
    }
  }

  /// Starts a thread that runs `body` and ends.
  ///
  /// - Returns: `false`, with nothing run, if the system refuses another thread.
  public static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    let box = unsafe Unmanaged.passRetained(Work(body))
    let code = unsafe withUnsafeTemporaryAllocation(of: pthread_attr_t.self, capacity: 1) { memory in
      let attributes = memory.baseAddress!  // never nil: it was asked for one
      unsafe pthread_attr_init(attributes)
      defer { unsafe pthread_attr_destroy(attributes) }
      unsafe pthread_attr_setdetachstate(attributes, CInt(PTHREAD_CREATE_DETACHED))
      // musl's default of 128 KiB is too little for deep directories.
      unsafe pthread_attr_setstacksize(attributes, 2 << 20)
      var thread = pthread_t()
      return unsafe pthread_create(
        &thread, attributes,
        { argument in
          unsafe Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().body()  // the box made above
          return nil
        }, box.toOpaque())
    }
    if code != 0 { unsafe box.release() }
    return code == 0
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static let pool = Pool()

  /// Threads that are started when all others are busy, and then stay.
  private final class Pool: Sendable {
    private struct State {
      var waiting: [@Sendable () -> Void] = []
      var next = 0
      var threads = 0
      var idle = 0

      var isEmpty: Bool { next == waiting.count }

      mutating func take() -> (@Sendable () -> Void)? {
        guard !isEmpty else { return nil }
        defer {
          next += 1
          if isEmpty {
            waiting.removeAll(keepingCapacity: true)
            next = 0
          }
        }
        return waiting[next]
      }
    }

    private let state = Monitor(State())

    func submit(_ work: @escaping @Sendable () -> Void) {
      let needsThread = state.withLock(waking: .one) { state in
        state.waiting.append(work)
        guard state.idle < state.waiting.count - state.next, state.threads < BlockingThreads.width else { return false }
        state.threads += 1
        return true
      }
      guard needsThread, !BlockingThreads.start({ self.serve() }) else { return }
      // The threads that are there will come to it. If there are none, this one has to.
      let work = state.withLock { state in
        state.threads -= 1
        return state.threads == 0 ? state.take() : nil
      }
      work?()
    }

    private func serve() {
      while true {
        state.withLock(waking: .nobody) { $0.idle += 1 }
        let work = state.wait(waking: .nobody) { state in
          guard let work = state.take() else { return nil as (@Sendable () -> Void)? }
          state.idle -= 1
          return work
        }
        work()
      }
    }
  }
}
