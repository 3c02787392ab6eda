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
    var process: pid_t = 0
    let code = Self.spawn(child, output: outputEnds.write, errors: errorEnds.write, &process)
    guard code == 0 else {
      SystemCall.closeQuietly(outputEnds.read)
      SystemCall.closeQuietly(errorEnds.read)
      throw .run(name, Errno(rawValue: code))
    }
    self.process = process
    watch = Mutex(child.endsWithParent ? DeathWatch(over: process) : nil)
  }

  private static func pipe(_ name: FilePath) throws(FileError) -> (read: CInt, write: CInt) {
    var ends: (CInt, CInt) = (-1, -1)
    let code = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
      // A tuple of two numbers lies in memory as an array of two does.
      unsafe pointer.withMemoryRebound(to: CInt.self, capacity: 2) { unsafe dv_pipe_cloexec($0) }
    }
    guard code == 0 else { throw .run(name, Errno(rawValue: errno)) }
    return ends
  }

  /// Starts the program with its outputs going to two pipes, and returns 0 or the system's error.
  private static func spawn(_ child: ChildProcess, output: CInt, errors: CInt, _ process: inout pid_t) -> CInt {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
    _ = unsafe child.directory.withPlatformString { unsafe dv_spawn_in_directory(&actions, $0) }
    // What dv does with signals is not the program's business.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigaddset(&signals, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    return unsafe withCStrings(child.arguments) { arguments in
      unsafe withCStrings(child.environment) { environment in
        unsafe posix_spawnp(&process, arguments[0]!, &actions, &attributes, arguments, environment)  // never no word
      }
    }
  }

  /// Calls `body` with words as C has them, ended by a null pointer.
  static func withCStrings<R>(
    _ words: [[UInt8]], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    let words = words.isEmpty ? [[]] : words
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
    for (index, word) in words.enumerated() {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: word.count + 1)
      for (offset, byte) in word.enumerated() { unsafe copy[offset] = CChar(bitPattern: byte) }
      unsafe copy[word.count] = 0
      unsafe pointers[index] = copy
    }
    unsafe pointers[words.count] = nil
    defer {
      for index in words.indices { unsafe pointers[index]?.deallocate() }
      unsafe pointers.deallocate()
    }
    return unsafe body(pointers)
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
