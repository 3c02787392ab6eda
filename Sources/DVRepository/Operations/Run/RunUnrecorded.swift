import DVFile
import DVPipeline
import DVWorkspace
public import SystemPackage

/// Runs a command as one of several processes that do the same together, of which another records the run.
public struct RunUnrecorded: Sendable {
  /// How the command ended.
  public enum Ending: Hashable, Sendable {
    case succeeded
    case interrupted
    /// With an exit code; `nil` for a signal.
    case failed(Int32?)
  }

  private let work: RunWork
  private let environment: [[UInt8]]

  /// - Parameter environment: the variables that the command gets, `NAME=value`.
  public init(_ work: RunWork, environment: [[UInt8]]) {
    self.work = work
    self.environment = environment
  }

  /// Carries it out. A command that fails is a result.
  ///
  /// - Parameters:
  ///   - root: the top of the project.
  ///   - lookUp: looks up variables of the process.
  /// - Throws: for a stage that is not declared, and for a `dv.yaml` that cannot be read.
  public func run(root: FilePath, lookUp: @escaping @Sendable (String) -> String?, output: RunOutput) async throws -> Ending {
    let found = try work.stage(root: root, lookUp)
    let shell = found.stage.commands.map { ["/bin/sh", "-c", $0].map { Array($0.utf8) } }
    let job = RunJob(
      stage: nil, commands: found.arguments.isEmpty ? shell : [found.arguments], texts: found.stage.commands, environment: environment,
      directory: root.appending(TreePath(found.stage.workingDirectory)), log: nil)
    let result = await job.run(output)
    if let failure = result.failure { output.note(.warning(failure.message)) }
    if result.wasInterrupted { return .interrupted }
    if result.succeeded { return .succeeded }
    if case .exited(let code) = result.ending { return .failed(code) }
    return .failed(nil)
  }
}
