import DVFile
import DVGit
import Synchronization
import SystemPackage

/// Runs the user's own `git`, for what needs the user's keys, agents and configuration: signing, and talking to servers.
struct UserGit: Sendable {
  private let directory: FilePath
  private let environment: [[UInt8]]

  /// - Parameter environment: all variables of the process, as `NAME=value`.
  init(_ repository: Repository, environment: [[UInt8]]) {
    directory = repository.workDirectory ?? repository.git.gitDirectory
    self.environment = environment
  }

  /// Runs `git` with `arguments` and returns what it printed, up to 1 MiB.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` with git's own words if it fails; ``FileError`` if there is no git.
  @discardableResult
  func run(_ arguments: [String]) async throws -> String {
    let printed = Mutex<(output: [UInt8], errors: [UInt8])>(([], []))
    let child = ChildProcess(
      arguments: (["git"] + arguments).map { Array($0.utf8) }, environment: environment, directory: directory)
    let outcome = try await child.run { stream, bytes in
      printed.withLock { printed in
        for index in 0..<bytes.count {
          if stream == .output, printed.output.count < 1 << 20 { printed.output.append(bytes[index]) }
          if stream == .errors, printed.errors.count < 4096 { printed.errors.append(bytes[index]) }
        }
      }
    }
    let (output, errors) = printed.withLock { ($0.output, $0.errors) }
    guard outcome.ending == .exited(0) else {
      let words = String(decoding: errors, as: UTF8.self).split(separator: "\n").joined(separator: " ")
      throw RepositoryError(.usage, "'git \(arguments.first ?? "")' failed: \(words.isEmpty ? "it gave no reason" : words).")
    }
    return String(decoding: output, as: UTF8.self)
  }
}
