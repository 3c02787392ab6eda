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

  // MARK: - Files

  /// Writes the code.
  ///
  /// - Returns: its files.
  private func placeCode(in isolated: Repository, _ root: FilePath) async throws -> Set<TreePath> {
    if request.isAsCommitted, let commit { return try placeCommit(commit, root) }
    guard let code = step.run.code else {
      throw RepositoryError(.missing, "The record has no snapshot of the code.")
    }
    return Set(try await TreePlacement(root: root, reader: reader).place(tree: code.id).keys)
  }

  private func placeCommit(_ commit: GitObjectID, _ root: FilePath) throws -> Set<TreePath> {
    var placed: Set<TreePath> = []
    for file in try repository.git.files(in: commit) where file.kind != .submodule {
      guard let path = TreePath(file.path.bytes), !path.names.starts(with: [Array(".dv".utf8), Array("records".utf8)]) else {
        continue
      }
      let bytes = try repository.git.readBlob(file.id, limit: 1 << 30)
      let place = root.appending(path)
      try place.containingDirectory.createDirectories()
      if file.kind == .symlink {
        try place.createSymlink(to: bytes)
      } else {
        try place.createContent(bytes.span, durable: false)
        if file.kind == .executable { try place.setExecutable(true) }
      }
      placed.insert(path)
    }
    return placed
  }

  private func placeInputs(in isolated: Repository, _ root: FilePath, _ code: Set<TreePath>) async throws {
    let placement = TreePlacement(root: root, reader: reader)
    var targets: [TreePath] = []
    var chained: [StagePath] = []
    for state in made where step.inputs.contains(where: { $0.path.overlaps(state.path) }) {
      guard state.content.mode != .directory else {
        throw RepositoryError(.missing, "'\(state.path)' is a directory that dv does not track, so it cannot be handed on.")
      }
      chained.append(state.path)
      try await place(state.path, state.content, isolated, placement, &targets)
    }
    for input in step.inputs where input.content.mode != .directory && !code.contains(TreePath(input.path)) {
      guard !chained.contains(where: { $0.overlaps(input.path) }) else { continue }
      try await place(input.path, input.content, isolated, placement, &targets)
    }
    if !targets.isEmpty {
      let report = try await CheckOutData(targets, isForced: true).run(in: isolated, progress: progress)
      if let failure = report.failures.first { throw failure.error }
    }
    let survey = try ContentSurvey(isolated, store: LazyStore(try isolated.storePlace()), progress: progress)
    for input in step.run.inputs where !chained.contains(where: { $0.overlaps(input.path) }) {
      if request.isAsCommitted, code.contains(TreePath(input.path)) || input.content.mode == .directory { continue }
      guard let there = try await survey.state(of: input.path), there.isSame(as: input.content) else {
        throw RepositoryError(
          .missing, input.content.mode == .directory
            ? "'\(input.path)' had files that neither git nor dv tracked, so it cannot be made as it was."
            : "'\(input.path)' cannot be made as it was recorded.")
      }
    }
  }

  /// Puts one input into its place, or notes that its pointer is to be checked out.
  private func place(
    _ path: StagePath, _ content: ContentState, _ isolated: Repository, _ placement: TreePlacement, _ targets: inout [TreePath]
  ) async throws {
    let place = TreePath(path)
    let resolved = try isolated.pointerSearch().resolve(place)
    if resolved?.inside.isRoot ?? (content.mode == .tree) {
      let pointer: Pointer
      if content.mode == .tree {
        pointer = Pointer(tree: content.oid, totals: try TreeNode(decoding: try await reader.node(content.oid), isRoot: true).totals)
      } else {
        pointer = Pointer(file: content.oid, size: content.size, executable: content.mode == .exec)
      }
      try placement.root.appending(place).containingDirectory.createDirectories()
      try PointerFile(path: PointerFile.path(for: place), pointer: pointer).write(in: placement.root)
      targets.append(place)
    } else if content.mode == .tree {
      try placement.root.appending(place).removeTree()
      try await placement.place(tree: content.oid, at: place)
    } else {
      try await placement.place(content.oid, size: content.size, isExecutable: content.mode == .exec, at: place)
    }
  }

  // MARK: - The command

  /// The stage to run, and what its `dv.yaml` says of tolerances.
  private func stage(in isolated: Repository) throws -> (Stage?, [Tolerances.Rule]) {
    let run = step.run
    let file = StagePath.pipeline(of: run.stage)
    var declared: Stage?
    if let address = run.stage, let file {
      let pipeline: Pipeline? = request.isAsCommitted
        ? try isolated.pipeline(from: TreePath(file.parent)) : try? isolated.pipeline(from: TreePath(file.parent))
      declared = pipeline?.graph.stages.first { $0.address == address }
    }
    let rules = declared.map { Self.tolerances(of: $0) } ?? []
    if request.isAsCommitted, run.stage != nil { return (declared, rules) }
    let name = run.stage?.split(separator: ":").last.map(String.init) ?? "run"
    var stage = Stage(name: name, file: file ?? .root, commands: run.commands, workingDirectory: run.workingDirectory)
    stage.outputs = run.outputs.map { state in
      Output(
        state.path, role: run.metrics.contains { $0.file == state.path } ? .metric : .data,
        isCached: !run.uncached.contains(state.path))
    }
    return (stage, rules)
  }

  /// What `meta.tolerance` of a stage and of its outputs says.
  private static func tolerances(of stage: Stage) -> [Tolerances.Rule] {
    var rules: [Tolerances.Rule] = []
    for member in stage.meta?["tolerance"]?.object?.members ?? [] {
      if let relative = member.value.double, relative >= 0 { rules.append(Tolerances.Rule(member.key, relative: relative)) }
    }
    for output in stage.outputs {
      if let relative = output.annotations["meta"]?["tolerance"]?.double, relative >= 0 {
        for pattern in [output.path.text, output.path.text + "/*"] { rules.append(Tolerances.Rule(pattern, relative: relative)) }
      }
    }
    return rules
  }

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

  // MARK: - Comparing

  private func compare(_ outcome: inout Outcome, _ stage: Stage, _ session: RunSession, _ root: FilePath) async throws {
    let isCached = Dictionary(stage.outputs.map { ($0.path, $0.isCached) }) { first, _ in first }
    let there = try step.run.outputs.filter { try root.appending(TreePath($0.path)).fileStat() != nil }
    let tracked = there.filter { isCached[$0.path] ?? !step.run.uncached.contains($0.path) }.map { TreePath($0.path) }
    if !tracked.isEmpty { _ = try await AddData(tracked).run(in: session.repository, progress: progress) }

    let scratch = try TemporaryDirectory(in: root.containingDirectory)
    let comparison = OutputComparison(reader: reader, scratch: scratch.path, tolerances: Tolerances(outcome.tolerances))
    outcome.verdict = .identical
    for recorded in step.run.outputs {
      var item = ReproductionReport.Output(path: recorded.path, recorded: recorded.content, made: nil, verdict: .failed)
      if there.contains(recorded), let made = try await session.survey.state(of: recorded.path) {
        item.made = made
        let found = try await comparison.compare(recorded, made, at: root.appending(TreePath(recorded.path)))
        item.verdict = ReproductionVerdict(found.verdict)
        item.reason = found.reason
        item.largest = found.largest
      } else {
        item.reason = "it was not made"
      }
      outcome.outputs.append(item)
      outcome.verdict = max(outcome.verdict, item.verdict)
    }
    if outcome.verdict == .failed {
      outcome.reason = outcome.outputs.first { $0.made == nil }.map { "the command ended well and did not make '\($0.path)'" }
    }
    let values = try session.metrics(of: stage)
    for (file, recorded) in step.run.metrics {
      for change in ValueDifference.between(recorded, values.first { $0.file == file }?.values, all: true) {
        outcome.metrics.append(
          ReproductionReport.Metric(file: file, name: change.name, recorded: change.old, made: change.new))
      }
    }
  }
}

extension ReproductionVerdict {
  init(_ verdict: ContentVerdict) {
    self =
      switch verdict {
      case .identical: .identical
      case .equivalent: .equivalent
      case .withinTolerance: .withinTolerance
      case .different: .different
      }
  }
}
