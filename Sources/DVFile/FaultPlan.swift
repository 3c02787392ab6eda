import Synchronization
package import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Makes the *k*-th call of the file layer go wrong, so that tests can try every place where a disk or a machine may fail.
///
/// A plan rules over the task (or thread) that runs inside ``run(_:)`` and over the threads this module starts on its
/// behalf, never over another test. Without any plan a system call pays one relaxed atomic load.
package final class FaultPlan: Sendable {
  /// What happens at the chosen call.
  package enum Fault: Sendable, Equatable {
    /// The call is not made and fails with this error.
    case fail(Errno)
    /// The process ends before the call, as if the machine had stopped.
    case stop
    /// A write puts down only the first half of its bytes, then the process ends. Any other call is as ``stop``.
    case tear
  }

  /// The exit status of a process that a plan ended.
  package static let exitStatus: CInt = 86

  private let position: Int
  private let fault: Fault
  private let counter = Atomic<Int>(0)

  /// Creates a plan for the `position`-th call, counted from 1. With 0 nothing fails and calls are only counted.
  package init(at position: Int = 0, _ fault: Fault = .fail(.ioError)) {
    self.position = position
    self.fault = fault
  }

  /// How many calls were made under this plan.
  package var count: Int { counter.load(ordering: .relaxed) }

  /// Whether the chosen call was reached.
  package var happened: Bool { position > 0 && count >= position }

  /// Runs `body` under this plan.
  package func run<R>(_ body: () throws -> R) rethrows -> R {
    Self.armed.add(1, ordering: .relaxed)
    defer { Self.armed.subtract(1, ordering: .relaxed) }
    return try Self.$scoped.withValue(self, operation: body)
  }

  /// Runs `body` under this plan.
  package func run<R>(_ body: () async throws -> R) async rethrows -> R {
    Self.armed.add(1, ordering: .relaxed)
    defer { Self.armed.subtract(1, ordering: .relaxed) }
    return try await Self.$scoped.withValue(self, operation: body)
  }

  // MARK: - Seen by the system calls

  @TaskLocal private static var scoped: FaultPlan?

  /// How many plans are in force; the only thing looked at when there are none.
  private static let armed = Atomic<Int>(0)

  #if DEBUG
    /// The plan for the whole process, from `DV_TEST_FAULT=k:errno|stop|tear`. Not compiled into a release.
    private static let ofProcess: FaultPlan? = {
      guard let text = unsafe getenv("DV_TEST_FAULT"), let plan = FaultPlan(parsing: unsafe String(cString: text)) else {
        return nil
      }
      return plan
    }()

    /// Reads `k:errno`, `k:stop` or `k:tear`.
    package convenience init?(parsing text: String) {
      let parts = text.split(separator: ":")
      guard parts.count == 2, let position = Int(parts[0]), position > 0 else { return nil }
      switch parts[1] {
      case "stop": self.init(at: position, .stop)
      case "tear": self.init(at: position, .tear)
      default:
        guard let number = CInt(parts[1]) else { return nil }
        self.init(at: position, .fail(Errno(rawValue: number)))
      }
    }
  #endif

  /// Whether locks fail as on a file system without them.
  @TaskLocal package static var refusesLocksHere = false

  static var refusesLocks: Bool {
    #if DEBUG
      if ofProcessRefusesLocks { return true }
    #endif
    return refusesLocksHere
  }

  #if DEBUG
    /// From `DV_TEST_LOCKS=none`, for the whole process. Not compiled into a release.
    private static let ofProcessRefusesLocks: Bool = {
      guard let text = unsafe getenv("DV_TEST_LOCKS") else { return false }
      return unsafe String(cString: text) == "none"
    }()
  #endif

  /// The plan that rules here, to be handed to a thread that works for this one.
  static var current: FaultPlan? {
    #if DEBUG
      if let plan = ofProcess { return plan }
    #endif
    guard armed.load(ordering: .relaxed) > 0 else { return nil }
    return scoped
  }

  /// Runs `body` under `plan`, if there is one.
  static func inheriting<R>(_ plan: FaultPlan?, _ body: () -> R) -> R {
    guard let plan else { return body() }
    return plan.run(body)
  }

  /// Counts a call and makes it fail if the plan says so.
  @inline(__always)
  static func pass() throws(Errno) {
    #if DEBUG
      let plan = current
    #else
      guard armed.load(ordering: .relaxed) > 0 else { return }
      let plan = scoped
    #endif
    if let plan { _ = try plan.meet() }
  }

  /// Counts a write and returns how many of its bytes to put down before the process ends, or `nil` to go on.
  @inline(__always)
  static func passWrite(of count: Int) throws(Errno) -> Int? {
    guard let plan = current else { return nil }
    return try plan.meet(writing: count)
  }

  /// Ends the process without running anything more, as a stopped machine would.
  static func stopProcess() -> Never { _exit(exitStatus) }

  private func meet(writing bytes: Int? = nil) throws(Errno) -> Int? {
    guard counter.add(1, ordering: .relaxed).newValue == position else { return nil }
    switch fault {
    case .fail(let errno): throw errno
    case .tear where bytes != nil: return (bytes ?? 0) / 2
    case .stop, .tear: Self.stopProcess()
    }
  }
}
