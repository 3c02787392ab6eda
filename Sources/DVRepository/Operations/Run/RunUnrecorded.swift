import DVFile
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

  private let text: String
  private let arguments: [[UInt8]]
  private let directory: FilePath?
  private let environment: [[UInt8]]

  /// - Parameters:
  ///   - text: a line for the shell.
  ///   - arguments: a program and its arguments, run in place of the line; empty for the line.
  ///   - directory: where it runs, relative to the current directory.
  ///   - environment: the variables that it gets, `NAME=value`.
  public init(_ text: String, arguments: [[UInt8]], directory: FilePath?, environment: [[UInt8]]) {
    self.text = text
    self.arguments = arguments
    self.directory = directory
    self.environment = environment
  }

  /// Carries it out. A command that fails is a result.
  public func run(in current: FilePath, output: RunOutput) async -> Ending {
    let command = arguments.isEmpty ? ["/bin/sh", "-c", text].map { Array($0.utf8) } : arguments
    let job = RunJob(
      stage: nil, commands: [command], texts: [text], environment: environment,
      directory: directory.map { current.pushing($0) } ?? current, log: nil)
    let result = await job.run(output)
    if let failure = result.failure { output.note(.warning(failure.message)) }
    if result.wasInterrupted { return .interrupted }
    if result.succeeded { return .succeeded }
    if case .exited(let code) = result.ending { return .failed(code) }
    return .failed(nil)
  }
}
