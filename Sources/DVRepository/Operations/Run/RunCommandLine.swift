import DVFile
import DVGit
import DVLineage
public import DVPipeline
import DVWorkspace
import SystemPackage

/// Runs a command, stores what it makes, and records the run; with a name, as a stage of the pipeline.
///
///     inputs, parameters, code and environment are taken down
///     outputs that are there are kept and removed, unless they are persistent
///     the command runs
///     outputs are stored, pointers written with the run, all staged; the record is written however the command ended
public struct RunCommandLine: Sendable {
  private let stage: Stage
  private let arguments: [[UInt8]]
  private let isNamed: Bool
  private let replaces: Bool
  private let environment: [[UInt8]]
  private let traces: Bool

  /// - Parameters:
  ///   - stage: what the command line says, with the command as one shell command line.
  ///   - arguments: the program and its arguments, run without a shell; empty to run the stage's commands.
  ///   - isNamed: whether to write the stage to its `dv.yaml`.
  ///   - replaces: whether a stage of that name may be replaced.
  ///   - environment: the variables that the command gets, `NAME=value`.
  ///   - traces: whether files that the command uses and the stage does not declare are found and recorded.
  public init(
    _ stage: Stage, arguments: [[UInt8]], isNamed: Bool, replaces: Bool, environment: [[UInt8]], traces: Bool = false
  ) {
    self.stage = stage
    self.arguments = arguments
    self.isNamed = isNamed
    self.replaces = replaces
    self.environment = environment
    self.traces = traces
  }

  /// Carries it out. A command that fails is a result: its record says so.
  ///
  /// - Throws: before the command starts, for what makes no sense: a missing input, an output of another stage.
  public func run(in repository: Repository, output: RunOutput, progress: ProgressSink) async throws -> FinishedRun {
    let session = try RunSession(repository, environment: environment, output: output, progress: progress)
    _ = try await session.journal.adopt(session.book, in: repository)
    for output in stage.outputs { try AddRequest.requirePlace(TreePath(output.path), in: session.root) }
    let pipeline = try repository.pipeline(from: TreePath(stage.workingDirectory))
    let others = pipeline.graph.stages.filter { !(isNamed && $0.address == stage.address) }
    _ = try StageGraph(others + [stage])
    let edit = isNamed ? try PipelineEdit(stage, replaces: replaces, in: session.root) : nil

    if traces { try await session.startTracing() }
    let key = try await session.key(of: stage)
    try await session.bringIn(stage, fetching: false)
    let started = try await session.start(
      stage, isNamed: isNamed, key: key, program: arguments.isEmpty ? nil : arguments)
    let job = started.job
    let result = await job.run(output)
    let finished = try await session.finish(started, result)
    // A stage that failed is written too: what is wrong is put right in the file, and run by 'dv repro'.
    if let edit, try edit.write() { try repository.git.stage(adding: [try GitPath(stage.file.text)]) }
    return finished
  }
}
