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

  private static func start(_ words: [String]) throws(Errno) -> (pid_t, FileDescriptor) {
    let ends = try DescriptorPair.pipe()
    defer { SystemCall.closeQuietly(ends.write) }
    let spawn = Spawn(.same)
    spawn.connectToNothing(0)
    spawn.connect(1, to: ends.write)
    do throws(Errno) {
      return (try spawn.start(words.map { Array($0.utf8) }, environment: ProcessEnvironment.all), FileDescriptor(rawValue: ends.read))
    } catch {
      SystemCall.closeQuietly(ends.read)
      throw error
    }
  }

  private static func failure(_ program: FilePath, _ reason: String) -> FileError {
    FileError(code: .io, path: program, message: "Cannot use what '\(program.printable)' prints: \(reason).")
  }
}
