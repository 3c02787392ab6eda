import CLinux
public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A program that dv runs: what it prints is handed on as it comes, and what it used is measured.
///
/// It leads a process group of its own, so that all it started can be ended with it, and reads nothing.
public struct ChildProcess: Sendable {
  /// The program and its arguments; a program without a slash is looked for in `PATH`.
  public let arguments: [[UInt8]]
  /// `NAME=value`, all there are.
  public let environment: [[UInt8]]
  public let directory: FilePath
  /// Whether it, and all that it started, is ended if this process is killed: asked to end, and killed some seconds later.
  public let endsWithParent: Bool
  /// What runs then, once that has ended; `nil` for nothing. Of no use unless ``endsWithParent``.
  public let heir: Heir?

  /// A program that does what this process cannot do any more.
  public struct Heir: Sendable {
    /// The program, by its path, and its arguments.
    public let arguments: [[UInt8]]
    /// `NAME=value`, all there are.
    public let environment: [[UInt8]]

    public init(arguments: [[UInt8]], environment: [[UInt8]]) { (self.arguments, self.environment) = (arguments, environment) }
  }

  public init(
    arguments: [[UInt8]], environment: [[UInt8]], directory: FilePath, endsWithParent: Bool = false, heir: Heir? = nil
  ) {
    self.endsWithParent = endsWithParent
    self.heir = heir
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
  }

  /// How a program ended.
  public enum Ending: Hashable, Sendable {
    case exited(Int32)
    /// A signal, by its number.
    case killed(Int32)
  }

  /// How a program ended, and what it and all that it waited for used.
  public struct Outcome: Hashable, Sendable {
    public let ending: Ending
    /// Processor time, in milliseconds.
    public let processorMilliseconds: Int64
    /// The most memory that one process of it held, in bytes.
    public let peakMemory: UInt64
    /// Whether it was asked to end because the task was cancelled.
    public let wasInterrupted: Bool
  }

  /// Which of its outputs a program writes to.
  public enum Stream: Hashable, Sendable {
    case output
    case errors
  }

  /// How long a program that was interrupted may take to end: then it is asked more firmly, and at last killed.
  public struct Patience: Sendable {
    public var untilTerminate: Duration = .seconds(10)
    public var untilKill: Duration = .seconds(20)
    public init() {}
  }

  /// Runs the program to its end.
  ///
  /// When the task is cancelled, the program and what it started get an interrupt, as from Ctrl-C, and this goes on until
  /// they have ended.
  ///
  /// - Parameter receive: called with what is printed, in order, up to 64 KiB at a time, on one thread.
  /// - Throws: ``FileError`` if it cannot be started.
  public func run(
    patience: Patience = Patience(), receive: @escaping @Sendable (Stream, Span<UInt8>) -> Void
  ) async throws(FileError) -> Outcome {
    let running = try RunningChild(self, patience: patience)
    let body: @Sendable () async -> Outcome = {
      await withCheckedContinuation { continuation in
        // Not of the shared threads: this one is occupied for hours.
        let isStarted = BlockingThreads.start { continuation.resume(returning: running.follow(receive)) }
        if !isStarted { continuation.resume(returning: running.follow(receive)) }
      }
    }
    return await withTaskCancellationHandler { await body() } onCancel: { running.interrupt() }
  }
}
