import DVFile
import Synchronization
import SystemPackage

/// Runs commands so that the files they open are written down.
///
/// By `strace`, which follows all that a command starts, threads and static programs too; a filter in the kernel (seccomp)
/// stops them only for the few calls that are of interest. It needs no privilege: whoever may debug a program of their own
/// may trace it.
struct AccessTracer: Sendable {
  /// Words to put before a command.
  private let words: [[UInt8]]
  /// Where logs go; one for each command.
  private let log: FilePath

  private static let calls = "trace=open,openat,openat2,creat,execve,rename,renameat,renameat2"
  /// The most bytes of a log that are read.
  private static let logLimit: UInt64 = 4 << 30

  /// Finds out whether tracing works here.
  ///
  /// - Parameters:
  ///   - environment: the variables of commands, in whose `PATH` strace is looked for.
  ///   - log: a path that no file has.
  /// - Throws: ``RepositoryError/Code/usage`` saying what is missing.
  init(environment: [[UInt8]], directory: FilePath, log: FilePath) async throws {
    self.log = log
    // Without the filter in the kernel it works too, at the price of a stop for every call.
    for filter in [["--seccomp-bpf"], []] {
      let words = (["strace", "-f"] + filter + ["-qq", "-y", "-e", "signal=none", "-e", Self.calls, "-o"]).map { Array($0.utf8) }
      let printed = Mutex<[UInt8]>([])
      let child = ChildProcess(
        arguments: words + ["/dev/null", "true"].map { Array($0.utf8) }, environment: environment, directory: directory)
      let outcome: ChildProcess.Outcome
      do throws(FileError) {
        outcome = try await child.run { _, bytes in
          printed.withLock { text in
            for index in 0..<bytes.count where text.count < 4096 { text.append(bytes[index]) }
          }
        }
      } catch {
        throw RepositoryError(
          .usage, "--trace needs 'strace', and it cannot be run here.",
          remedy: "Install it (on Debian and Ubuntu: apt install strace), or leave --trace out.", cause: error)
      }
      if outcome.ending == .exited(0) {
        self.words = words
        return
      }
      if !filter.isEmpty { continue }
      let reason = String(decoding: printed.withLock { $0 }, as: UTF8.self).split(separator: "\n").last.map { " It says: \($0)" } ?? ""
      throw RepositoryError(
        .usage, "--trace does not work here: strace may not trace programs.\(reason)",
        remedy: "In a container, allow the system call ptrace (docker run --cap-add SYS_PTRACE); else leave --trace out.")
    }
    words = []
  }

  /// Another tracer that works in the same way.
  func writing(to log: FilePath) -> AccessTracer { AccessTracer(words: words, log: log) }

  private init(words: [[UInt8]], log: FilePath) {
    self.words = words
    self.log = log
  }

  private func file(_ number: Int) -> FilePath { FilePath(log.string + "-\(number)") }

  /// The `number`th command of a stage, with what traces it before it.
  func traced(_ command: [[UInt8]], number: Int) -> [[UInt8]] {
    words + [Array(file(number).string.utf8), Array("--".utf8)] + command
  }

  /// Reads the logs of the first `count` commands and removes them.
  func finish(count: Int, directory: FilePath) throws(FileError) -> AccessLog {
    var log = AccessLog(directory: Array(directory.string.utf8))
    for number in 0..<count {
      let file = file(number)
      guard try file.fileStat() != nil else { continue }
      defer { try? file.removeFile() }
      let reader = try FileReader(file)
      let buffer = AlignedBuffer(capacity: 1 << 20)
      var line: [UInt8] = []
      var total: UInt64 = 0
      while total < Self.logLimit {
        try reader.read(into: buffer)
        if buffer.count == 0 { break }
        total += UInt64(buffer.count)
        buffer.withSpan { bytes in
          for index in 0..<bytes.count {
            if bytes[index] == 0x0a {
              log.add(line[...])
              line.removeAll(keepingCapacity: true)
            } else if line.count < 64 << 10 {
              line.append(bytes[index])
            }
          }
        }
      }
    }
    return log
  }
}
