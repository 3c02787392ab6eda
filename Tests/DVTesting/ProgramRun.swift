import DVFile
import Foundation
public import SystemPackage

/// A program that is run to its end, with what it prints going to files: no pipe can fill up or be held open by a program
/// that another test starts meanwhile, and no thread is needed. (Foundation's `Process` waits for a socket that such
/// programs inherit, so that tests which block the few threads they share can wait for each other for ever.)
public struct ProgramRun {
  public let command: [[UInt8]]
  public let environment: [String: String]
  public let directory: FilePath
  /// After how many seconds a program that has not ended is killed, and its test fails: a hang ends the suite with its name.
  public let patience: Double

  public init(command: [[UInt8]], environment: [String: String], directory: FilePath, patience: Double = 600) {
    self.command = command
    self.environment = environment
    self.directory = directory
    self.patience = patience
  }

  /// A program that could not be started or did not end.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
    public init(description: String) { self.description = description }
  }

  /// How a program ended; one that a signal ended has the signal's number plus 128, as in a shell.
  public struct Ending {
    public let status: Int32
    public let output: [UInt8]
    public let errors: [UInt8]
  }

  private var name: String { command.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }

  /// Runs the program.
  ///
  /// - Parameter folder: Where what it prints is kept meanwhile.
  public func finish(in folder: FilePath) throws -> Ending {
    let name = "run-\(UInt64.random(in: .min ... .max))"
    let (output, errors) = (folder.appending(name + "-out"), folder.appending(name + "-err"))
    defer {
      try? output.removeFile()
      try? errors.removeFile()
    }
    let process = try start(output: output, errors: errors)
    guard let status = try wait(for: process) else {
      throw Failure(
        description: """
          '\(self.name)' did not end within \(patience) s and was killed. It had printed:
          \(String(decoding: try output.readAll(limit: 1 << 20), as: UTF8.self))
          \(String(decoding: try errors.readAll(limit: 1 << 20), as: UTF8.self))
          """)
    }
    return Ending(
      status: status, output: try output.readAll(limit: 1 << 30), errors: try errors.readAll(limit: 1 << 30))
  }

  /// Starts the program, in a process group of its own.
  public func start(output: FilePath, errors: FilePath) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    _ = output.withPlatformString { posix_spawn_file_actions_addopen(&actions, 1, $0, flags, 0o600) }
    _ = errors.withPlatformString { posix_spawn_file_actions_addopen(&actions, 2, $0, flags, 0o600) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Threads that run tests block signals. A shell that inherits this never hears that its children ended.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))

    // The shell goes to the directory: spawning has no portable way to.
    let words = ["sh", "-c", "cd \"$0\" && exec \"$@\""].map { Array($0.utf8) } + [directory.rawBytes] + command
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { word in
      (word.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { strdup($0.baseAddress!) }
    }
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") }
    arguments.append(nil)
    variables.append(nil)
    defer { for word in arguments + variables { free(word) } }
    var process: Int32 = 0
    let code = posix_spawnp(&process, "sh", &actions, &attributes, arguments, variables)
    guard code == 0 else {
      throw Failure(description: "Cannot run '\(name)': \(String(cString: strerror(code)))")
    }
    return process
  }

  /// Waits for a program, and returns nil if it had to be killed, with all of its group.
  public func wait(for process: Int32) throws -> Int32? {
    var status: Int32 = 0
    let deadline = ContinuousClock.now + .seconds(patience)
    var pause: UInt32 = 200
    while true {
      let ended = waitpid(process, &status, WNOHANG)
      if ended == process { break }
      guard ended == 0 || errno == EINTR else { throw Failure(description: "waitpid: \(String(cString: strerror(errno)))") }
      if ContinuousClock.now > deadline {
        kill(-process, SIGKILL)
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return nil
      }
      usleep(pause)
      pause = min(pause * 5 / 4, 10_000)
    }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
  }
}
