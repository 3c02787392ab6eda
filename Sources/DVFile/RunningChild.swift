import CLinux
import Synchronization
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A program that was started: its process and the ends of its pipes.
final class RunningChild: Sendable {
  private let process: pid_t
  private let output: CInt
  private let errors: CInt
  private let patience: ChildProcess.Patience
  /// When the program was asked to end; `nil` if it was not.
  private let interruption = Mutex<ContinuousClock.Instant?>(nil)
  /// Whether the process was waited for: from then on its number may be another's.
  private let hasEnded = Mutex(false)
  /// Ends the program if this process is killed; `nil` if that is not asked for.
  private let watch: Mutex<DeathWatch?>

  /// Starts the program.
  init(_ child: ChildProcess, patience: ChildProcess.Patience) throws(FileError) {
    self.patience = patience
    let name = FilePath(rawBytes: child.arguments.first ?? [])
    let (outputEnds, errorEnds) = (try Self.pipe(name), try Self.pipe(name))
    defer {
      SystemCall.closeQuietly(outputEnds.write)
      SystemCall.closeQuietly(errorEnds.write)
    }
    output = outputEnds.read
    errors = errorEnds.read
    // What dv does with signals is not the program's business.
    let spawn = Spawn(.own, restoresPipeSignal: true)
    spawn.connectToNothing(0)
    spawn.connect(1, to: outputEnds.write)
    spawn.connect(2, to: errorEnds.write)
    spawn.enter(child.directory)
    do throws(Errno) { process = try spawn.start(child.arguments, environment: child.environment) } catch {
      SystemCall.closeQuietly(outputEnds.read)
      SystemCall.closeQuietly(errorEnds.read)
      throw .run(name, error)
    }
    watch = Mutex(child.endsWithParent ? DeathWatch(over: process, heir: child.heir) : nil)
  }

  private static func pipe(_ name: FilePath) throws(FileError) -> (read: CInt, write: CInt) {
    do throws(Errno) { return try DescriptorPair.pipe() } catch { throw .run(name, error) }
  }

  // MARK: - Ending

  /// Asks the program, and what it started, to end.
  func interrupt() {
    let isFirst = interruption.withLock { moment in
      defer { moment = moment ?? .now }
      return moment == nil
    }
    if isFirst { signal(SIGINT) }
  }

  private func signal(_ number: CInt) {
    hasEnded.withLock { hasEnded in
      if !hasEnded { _ = kill(-process, number) }
    }
  }

  /// Reads what is printed until the program has ended. Blocks.
  func follow(_ receive: (ChildProcess.Stream, Span<UInt8>) -> Void) -> ChildProcess.Outcome {
    var open = [output, errors]
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var ended: (status: CInt, usage: rusage)?
    var (isTerminated, isKilled) = (false, false)
    // A background process that keeps a pipe open does not keep dv waiting for ever.
    var deadline: ContinuousClock.Instant?
    while !open.isEmpty || ended == nil {
      let ready = Self.poll(open, milliseconds: ended == nil ? 200 : 50)
      for descriptor in ready {
        let count = Self.read(descriptor, &buffer)
        if count > 0 {
          receive(descriptor == output ? .output : .errors, buffer.span.extracting(0..<count))
        } else {
          open.removeAll { $0 == descriptor }
        }
      }
      if ended == nil { ended = reap(blocking: open.isEmpty && interruption.withLock { $0 } == nil) }
      if ended != nil {
        let limit = deadline ?? .now + .seconds(1)
        deadline = limit
        if ready.isEmpty, .now > limit { break }
      } else if let moment = interruption.withLock({ $0 }) {
        if !isTerminated, .now > moment + patience.untilTerminate {
          isTerminated = true
          signal(SIGTERM)
        } else if !isKilled, .now > moment + patience.untilKill {
          isKilled = true
          signal(SIGKILL)
        }
        if open.isEmpty { usleep(20_000) }
      }
    }
    SystemCall.closeQuietly(output)
    SystemCall.closeQuietly(errors)
    watch.withLock { watch in
      let held = watch.take()
      if let held { held.end() }
    }
    return outcome(ended)
  }

  /// Waits for the process; `nil` if it still runs.
  private func reap(blocking: Bool) -> (status: CInt, usage: rusage)? {
    var (status, usage) = (CInt(0), rusage())
    // Blocking for a moment only: an interruption may come at any time.
    let found = unsafe dv_wait4(process, &status, WNOHANG, &usage)
    if found == 0 {
      if blocking { usleep(20_000) }
      return nil
    }
    hasEnded.withLock { $0 = true }
    return (status, usage)
  }

  private func outcome(_ ended: (status: CInt, usage: rusage)?) -> ChildProcess.Outcome {
    let (status, usage) = ended ?? (0, rusage())
    let isExit = status & 0x7f == 0
    let microseconds =
      Int64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000
      + Int64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
    return ChildProcess.Outcome(
      ending: isExit ? .exited((status >> 8) & 0xff) : .killed(status & 0x7f),
      processorMilliseconds: microseconds / 1000, peakMemory: UInt64(max(0, usage.ru_maxrss)) << 10,
      wasInterrupted: interruption.withLock { $0 } != nil)
  }

  // MARK: - Pipes

  /// Returns those of `descriptors` that can be read, or have ended, within a time.
  private static func poll(_ descriptors: [CInt], milliseconds: CInt) -> [CInt] {
    guard !descriptors.isEmpty else { return [] }
    var asked = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let count = unsafe asked.withUnsafeMutableBufferPointer { buffer in
      #if canImport(Glibc)
        unsafe Glibc.poll(buffer.baseAddress, nfds_t(buffer.count), milliseconds)
      #else
        unsafe Musl.poll(buffer.baseAddress, nfds_t(buffer.count), milliseconds)
      #endif
    }
    return count <= 0 ? [] : asked.filter { $0.revents != 0 }.map(\.fd)
  }

  /// Reads what is there; 0 at the end.
  private static func read(_ descriptor: CInt, _ buffer: inout [UInt8]) -> Int {
    unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return 0 }
      return (try? unsafe SystemCall.read(descriptor, start, bytes.count)) ?? 0
    }
  }
}
