import DVContent
import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// One run of a recorded command in a working tree of its own, and the comparison of what it made.
struct ReproductionAttempt {
  let request: ReproductionRequest
  let step: ReproductionPlan.Step
  let commit: GitObjectID?
  let repository: Repository
  let reader: DataReader
  let environment: [[UInt8]]
  let denial: NetworkDenial?
  /// What reproductions of earlier stages made, by path.
  let made: [PathState]
  let output: RunOutput
  let progress: ProgressSink

  /// What came of it.
  struct Outcome {
    var verdict = ReproductionVerdict.failed
    var reason: String?
    var outputs: [ReproductionReport.Output] = []
    var metrics: [ReproductionReport.Metric] = []
    var result: RunJob.Result?
    var code: RunRecord.StoredObject?
    var environment: RunRecord.StoredObject?
    var log: RunRecord.StoredObject?
    var user: String?
    var host: String?
    var tolerances: [Tolerances.Rule] = []

    /// What it made, to tell results apart.
    var contents: [ObjectID?] { outputs.map(\.made?.oid) }
  }

  /// Carries it out. What fails is an outcome.
  func run() async throws -> Outcome {
    let worktree = try IsolatedWorktree(of: repository, base: try base())
    defer { withExtendedLifetime(worktree) {} }
    let isolated = try worktree.open(of: repository)
    let code: Set<TreePath>
    do {
      code = try await placeCode(in: isolated, worktree.root)
      try await placeInputs(in: isolated, worktree.root, code)
    } catch let error as StoreError where error.code == .missing || error.code == .corrupt {
      return Outcome(verdict: .missing, reason: error.message)
    } catch let error as WorkspaceError where error.code == .missing || error.code == .corrupt {
      return Outcome(verdict: .missing, reason: error.message)
    } catch let error as RepositoryError where error.code == .missing {
      return Outcome(verdict: .missing, reason: error.message)
    }
    let session = try RunSession(isolated, environment: commandEnvironment, output: output, progress: progress)
    let (stage, declared) = try stage(in: isolated)
    if let stage {
      try BorrowedEnvironment(
        of: stage.commands, in: stage.workingDirectory, user: try repository.requireWorkDirectory()
      ) { try worktree.root.appending($0).fileStat() != nil }.link(into: worktree.root)
    }
    if let stage { return try await carryOut(stage, declared, session, worktree.root) }
    return Outcome(reason: "the commit has no stage '\(step.name)'")
  }

  /// The commit whose index the working tree gets: that which was checked out, if it is still known.
  private func base() throws -> GitObjectID {
    if request.isAsCommitted, let commit { return commit }
    if let hex = step.run.base, let id = try? GitObjectID(hex: hex), (try? repository.git.commit(id)) != nil { return id }
    guard let id = try commit ?? repository.git.head().commit else {
      throw RepositoryError(.usage, "There is no commit yet to make a working tree from.", remedy: "Commit something first.")
    }
    return id
  }

  /// The variables of the process without those that would lead git and dv to the user's tree; the seed is the recorded one.
  private var commandEnvironment: [[UInt8]] {
    let kept = IsolatedEnvironment.of(environment, without: step.run.seed == nil ? [] : ["DV_SEED"])
    return kept + (step.run.seed.map { [Array("DV_SEED=\($0)".utf8)] } ?? [])
  }

  // MARK: - The command

  private func carryOut(
    _ stage: Stage, _ declared: [Tolerances.Rule], _ session: RunSession, _ root: FilePath
  ) async throws -> Outcome {
    var outcome = Outcome()
    outcome.tolerances = request.tolerances.rules + declared
    let directory = root.appending(TreePath(stage.workingDirectory))
    guard try directory.fileStatFollowingLinks()?.kind == .directory else {
      outcome.reason = "'\(stage.workingDirectory)', where it ran, is no directory in the recorded code"
      return outcome
    }
    for output in stage.outputs {
      let place = root.appending(TreePath(output.path))
      try place.containingDirectory.createDirectories()
      if !output.isPersistent || output.isCached { try place.removeTree() }
    }
    let local = try await repository.localStore(for: .write)
    let writer = ObjectWriter(addingTo: local.store)
    outcome.environment = try await session.storeSurroundings(of: stage, writer)
    outcome.user = try session.author()
    outcome.host = try repository.recordedHost()
    outcome.code = request.isAsCommitted ? nil : step.run.code

    let logs = repository.dataDirectory.appending("tmp")
    try logs.createDirectories()
    let shell = session.shell
    let job = RunJob(
      stage: step.run.stage,
      commands: stage.commands.map { (denial?.words ?? []) + [shell, "-c", $0].map { Array($0.utf8) } }, texts: stage.commands,
      environment: commandEnvironment + [Array("DV_STAGE=\(stage.name)".utf8)], directory: directory,
      log: logs.appending("log-\(RandomName.letters())"))
    let result = await job.run(output)
    outcome.result = result
    outcome.log = try await RunSession.keepLog(job.log, writer)
    _ = try await writer.finish()
    guard result.succeeded else {
      outcome.reason = Self.text(result)
      return outcome
    }
    try await compare(&outcome, stage, session, root)
    return outcome
  }

  private static func text(_ result: RunJob.Result) -> String {
    if let failure = result.failure { return failure.message }
    if result.wasInterrupted { return "interrupted" }
    return switch result.ending {
    case .exited(let code): "the command ended with exit code \(code)"
    case .killed(let signal): "signal \(signal) ended the command"
    }
  }
}
