import CLinux
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a program prints.
public enum ProgramOutput {
  /// Runs a program and returns what it printed on its standard output.
  ///
  /// No shell is involved. Its standard input is empty, its standard error is this process's. Blocks until it ends.
  ///
  /// - Parameters:
  ///   - words: The program, by path or to be found in `PATH`, and its arguments.
  ///   - limit: The most bytes that are read.
  /// - Throws: ``FileError`` if it cannot be run, prints more, or does not exit with 0. The message does not show the arguments.
  public static func of(_ words: [String], limit: Int) throws(FileError) -> [UInt8] {
    let program = FilePath(words.first ?? "")
    guard !program.isEmpty else { throw failure(program, "there is no program to run") }
    let process: pid_t
    let reader: FileDescriptor
    do {
      (process, reader) = try start(words)
    } catch {
      throw failure(program, "\(error)")
    }
    var bytes: [UInt8] = []
    var problem: String?
    do {
      var buffer = [UInt8](repeating: 0, count: 64 << 10)
      while true {
        let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe reader.read(into: $0) }
        if count == 0 { break }
        bytes += buffer[..<count]
        if bytes.count > limit {
          problem = "it printed more than \(limit) bytes"
          break
        }
      }
    } catch {
      problem = "\(error)"
    }
    // Without a reader it ends at its next write.
    try? reader.close()
    var status: CInt = 0
    while unsafe waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw failure(program, "\(Errno(rawValue: errno))") }
    }
    if let problem { throw failure(program, problem) }
    guard status == 0 else {
      throw failure(program, status & 0x7f == 0 ? "it exited with \((status >> 8) & 0xff)" : "signal \(status & 0x7f) ended it")
    }
    return bytes
  }

  private static func start(_ words: [String]) throws -> (pid_t, FileDescriptor) {
    let (reader, writer) = try FileDescriptor.pipe()
    defer { try? writer.close() }
    do {
      // Another child that is started meanwhile must not hold the ends: then this one's output would not end.
      for end in [reader, writer] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
      var actions = unsafe posix_spawn_file_actions_t()
      unsafe posix_spawn_file_actions_init(&actions)
      defer { unsafe posix_spawn_file_actions_destroy(&actions) }
      unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
      unsafe posix_spawn_file_actions_adddup2(&actions, writer.rawValue, 1)
      // Threads that run tasks block signals, and a child inherits that: Ctrl-C would not reach it.
      var attributes = posix_spawnattr_t()
      unsafe posix_spawnattr_init(&attributes)
      defer { unsafe posix_spawnattr_destroy(&attributes) }
      var none = sigset_t()
      unsafe sigemptyset(&none)
      unsafe posix_spawnattr_setsigmask(&attributes, &none)
      unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
      var arguments = unsafe words.map { unsafe strdup($0) }
      unsafe arguments.append(nil)
      defer { for unsafe word in unsafe arguments { unsafe free(word) } }
      var process: pid_t = 0
      let code = unsafe posix_spawnp(&process, words[0], &actions, &attributes, arguments, environ)
      guard code == 0 else { throw Errno(rawValue: code) }
      return (process, reader)
    } catch {
      try? reader.close()
      throw error
    }
  }

  private static func failure(_ program: FilePath, _ reason: String) -> FileError {
    FileError(code: .io, path: program, message: "Cannot use what '\(program.printable)' prints: \(reason).")
  }
}
