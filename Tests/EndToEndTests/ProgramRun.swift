import DVFile
import Foundation
import SystemPackage

/// A program that is run to its end, with what it prints going to files: no pipe can fill up, and no thread is needed.
struct ProgramRun {
  let command: [[UInt8]]
  let environment: [String: String]
  let directory: FilePath

  /// A program that could not be started.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs the program.
  ///
  /// - Parameter folder: Where what it prints is kept meanwhile.
  func finish(in folder: FilePath) throws -> Sandbox.Outcome {
    let name = "run-\(UInt64.random(in: .min ... .max))"
    let (output, errors) = (folder.appending(name + "-out"), folder.appending(name + "-err"))
    defer {
      try? output.removeFile()
      try? errors.removeFile()
    }
    let status = try wait(for: try start(output: output, errors: errors))
    return Sandbox.Outcome(
      command: command.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " "), code: status,
      output: try output.readAll(limit: 1 << 30), errors: try errors.readAll(limit: 1 << 30))
  }

  /// Starts the program.
  func start(output: FilePath, errors: FilePath) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    _ = output.withPlatformString { posix_spawn_file_actions_addopen(&actions, 1, $0, flags, 0o600) }
    _ = errors.withPlatformString { posix_spawn_file_actions_addopen(&actions, 2, $0, flags, 0o600) }

    // The shell goes to the directory: spawning has no portable way to.
    let words = ["sh", "-c", "cd \"$0\" && exec \"$@\""].map { Array($0.utf8) } + [directory.rawBytes] + command
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { word in
      (word.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { strdup($0.baseAddress!) }
    }
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") }
    arguments.append(nil)
    variables.append(nil)
    defer { for word in arguments + variables { free(word) } }
    var process: pid_t = 0
    let code = posix_spawnp(&process, "sh", &actions, nil, arguments, variables)
    guard code == 0 else {
      throw Failure(
        description: "Cannot run '\(String(decoding: command[0], as: UTF8.self))': \(String(cString: strerror(code)))")
    }
    return process
  }

  /// Waits for a program; one that a signal ended has the signal's number plus 128, as in a shell.
  func wait(for process: pid_t) throws -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw Failure(description: "waitpid: \(String(cString: strerror(errno)))") }
    }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
  }
}
