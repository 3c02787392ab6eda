import DVFile
import DVGit
public import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// One experiment under way.
struct ExperimentWork {
  let start: ExperimentStart
  let settings: [Experiment.Setting]
  let name: String?
  let output: RunOutput
  let progress: ProgressSink

  /// Carries it out.
  ///
  /// - Returns: what became of it, and whether it was interrupted.
  func run() async throws -> (item: ExperimentReport.Item, wasInterrupted: Bool) {
    var item = ExperimentReport.Item(settings: settings)
    let repository = try Repository(discoveringFrom: start.root, environment: start.lookUp)
    let worktree = try IsolatedWorktree(of: repository, base: start.head)
    defer { withExtendedLifetime(worktree) {} }
    let isolated = try worktree.open(of: repository)
    _ = try await TreePlacement(root: worktree.root, reader: try repository.dataReader()).place(tree: start.code)
    for setting in settings {
      let (path, bytes) = try Self.edited(setting, in: worktree.root)
      try worktree.root.appending(path).replaceContent(with: bytes.span, durable: false)
    }
    for stage in try isolated.pipeline(from: start.directory).graph.stages {
      let borrowed = try BorrowedEnvironment(of: stage.commands, in: stage.workingDirectory, user: start.root) {
        try worktree.root.appending($0).fileStat() != nil
      }
      try borrowed.link(into: worktree.root)
      if !borrowed.paths.isEmpty { output.note(.borrowed(borrowed.paths)) }
    }
    do {
      try await placeInputs(isolated)
    } catch let error as WorkspaceError where error.code == .missing || error.code == .corrupt {
      item.failure = error.message
      item.isMissingData = error.code == .missing
      return (item, false)
    }
    var request = stageRequest
    request.isForced = start.request.isForced
    let report = try await ReproduceStages(request, environment: start.environment).run(
      in: isolated, output: output, progress: progress)
    item.stages = report
    if report.wasInterrupted || Task.isCancelled { return (item, true) }
    if report.hasFailures {
      let failed = report.items.first { $0.decision != nil && $0.status.map { $0 != .complete } ?? false }
      item.failure = failed.map { "the stage '\($0.stage)' \($0.status?.rawValue ?? "failed")" } ?? "a stage failed"
      return (item, false)
    }
    let experiment = try await summary(report, isolated)
    let commit = try commit(experiment, isolated, worktree.root)
    item.experiment = experiment
    item.commit = commit.hex
    item.name = try keep(commit, in: repository)
    return (item, false)
  }

  private var stageRequest: ReproduceStages.Request {
    var request = ReproduceStages.Request()
    request.targets = start.request.targets
    request.directory = start.directory
    return request
  }

  /// Returns a file of parameters with one of them set.
  static func edited(_ setting: Experiment.Setting, in root: FilePath) throws -> (path: TreePath, bytes: [UInt8]) {
    let path = TreePath(try StagePath(setting.file))
    guard let bytes = try root.contentIfThere(path, limit: ValueFile.maximumByteCount) else {
      throw RepositoryError(
        .usage, "There is no file '\(setting.file)' to set '\(setting.name)' in.",
        remedy: "Name the file: --set FILE:\(setting.name)=….")
    }
    return (path, try ValueEdit.setting(setting.value, at: setting.name, in: bytes, named: setting.file))
  }

  // MARK: - Data

  /// Checks out the data that stages read which will run; of those that will not, pointers say enough.
  private func placeInputs(_ isolated: Repository) async throws {
    var request = stageRequest
    request.isDry = true
    request.isForced = start.request.isForced
    let silent = RunOutput(write: { _, _, _ in }, note: { _ in })
    let plan = try await ReproduceStages(request, environment: start.environment).run(
      in: isolated, output: silent, progress: progress)
    let running = Set(
      plan.items.compactMap { item -> String? in
        switch item.decision {
        case .run?, .wait?: item.stage
        default: nil
        }
      })
    let stages = try isolated.pipeline(from: start.directory).graph.stages.filter { running.contains($0.address) }
    let made = stages.flatMap { $0.outputs.map(\.path) }
    let search = try isolated.pointerSearch()
    var targets: [TreePath] = []
    for path in Set(stages.flatMap(\.reads)).sorted() where !made.contains(where: { path.isInside($0) }) {
      let place = TreePath(path)
      if place.isRoot { continue }
      if try search.resolve(place) != nil || !((try? isolated.select([place]))?.items.isEmpty ?? true) { targets.append(place) }
    }
    guard !targets.isEmpty else { return }
    let lacking = try await self.lacking(targets, in: isolated)
    if !lacking.isEmpty, (try? isolated.remote(nil)) != nil {
      _ = try await FetchData(lacking).run(in: isolated, progress: progress)
    }
    let report = try await CheckOutData(targets, isForced: true).run(in: isolated, progress: progress)
    if let failure = report.failures.first { throw failure.error }
  }

  private func lacking(_ targets: [TreePath], in isolated: Repository) async throws -> [TreePath] {
    var completeness = Completeness(of: try await isolated.localStore(for: .read).store)
    var lacking: [TreePath] = []
    for target in targets {
      for item in try isolated.select([target]).items where try await !completeness.has(item.data.root(inside: item.inside)) {
        lacking.append(target)
        break
      }
    }
    return lacking
  }

  // MARK: - The commit

  private func summary(_ report: ReproduceReport, _ isolated: Repository) async throws -> Experiment {
    var parameters = JSONObject()
    for file in try await ReadValues(.parameters, directory: start.directory).run(in: isolated).files {
      parameters[file.path.text] = file.values
    }
    var metrics = JSONObject()
    let book = RecordBook(isolated, store: LazyStore(try isolated.storePlace()))
    var runs: [ObjectID] = []
    for id in report.items.compactMap(\.record) {
      runs.append(id)
      for (file, values) in try await book.run(id)?.metrics ?? [] { metrics[file.text] = values }
    }
    for file in try await ReadValues(.metrics, directory: start.directory).run(in: isolated).files {
      metrics[file.path.text] = file.values
    }
    return Experiment(parameters: parameters, metrics: metrics, runs: runs, settings: settings)
  }

  /// Stores a commit of all that git tracks, as it is now.
  private func commit(_ experiment: Experiment, _ isolated: Repository, _ root: FilePath) throws -> GitObjectID {
    let records = [Array(".dv".utf8), Array("records".utf8)]
    let index = try isolated.git.index()
    var (added, removed): ([GitPath], [GitPath]) = ([], [])
    for tracked in start.tracked {
      let (path, git) = (tracked.path, try GitPath(tracked.path.bytes))
      if path.names.starts(with: records) {
        // Those that are staged beside the user's pointers; what a new run supersedes was withdrawn already.
        guard index.entry(at: git) == nil, try root.appending(path).fileStat() == nil, try isNamed(path, root),
          let bytes = try start.root.contentIfThere(path, limit: Record.maximumByteCount)
        else { continue }
        try root.appending(path).containingDirectory.createDirectories()
        try root.appending(path).createContent(bytes.span, durable: false)
        added.append(git)
      } else if try root.appending(path).fileStat() != nil {
        added.append(git)
      } else if tracked.isDeleted {
        removed.append(git)
      }
    }
    try isolated.git.stage(adding: added, removing: removed)
    let title = settings.isEmpty ? "dv experiment" : "dv experiment: " + settings.map(\.text).joined(separator: ", ")
    return try isolated.git.makeCommit(
      tree: try isolated.git.writeTree(), parents: [start.head],
      author: GitSignature(
        name: start.author.name, email: start.author.email, time: Moment.milliseconds / 1000, offset: start.author.offset),
      message: experiment.message(String(title.prefix(200))))
  }

  /// Whether a pointer of the experiment names the record.
  private func isNamed(_ record: TreePath, _ root: FilePath) throws -> Bool {
    let name = String(decoding: record.lastName, as: UTF8.self).split(separator: ".").first ?? ""
    guard let id = try? ObjectID(hex: name) else { return false }
    return try start.tracked.contains { tracked in
      guard PointerFile.isPointerName(tracked.path) else { return false }
      return try PointerFile.read(tracked.path, in: root)?.pointer.run == id
    }
  }

  /// Gives the commit a name.
  private func keep(_ commit: GitObjectID, in repository: Repository) throws -> String {
    if let name {
      try repository.git.setReference(Experiment.referencePrefix + name, to: commit)
      return name
    }
    for _ in 0..<100 {
      let name = ExperimentName.random()
      do throws(GitError) {
        try repository.git.setReference(Experiment.referencePrefix + name, to: commit)
        return name
      } catch {
        guard error.code == .invalid else { throw error }
      }
    }
    let name = "exp-\(commit.hex.prefix(12))"
    try repository.git.setReference(Experiment.referencePrefix + name, to: commit)
    return name
  }
}

extension Experiment.Setting {
  /// `lr=0.1`, with its file if that is not the usual one.
  public var text: String {
    let value = self.value.string ?? String(decoding: self.value.canonical(), as: UTF8.self)
    return (file == ParameterSelection.defaultFile ? "" : "\(file):") + "\(name)=\(value)"
  }
}

/// Names that can be said and remembered.
enum ExperimentName {
  private static let first = [
    "amber", "bold", "brisk", "calm", "clear", "crisp", "deep", "dry", "early", "fair", "fast", "fine", "firm", "fresh", "gentle",
    "glad", "grand", "keen", "kind", "large", "late", "light", "lively", "long", "mild", "neat", "new", "noble", "plain", "proud",
    "quick", "quiet", "rapid", "rare", "rich", "round", "safe", "sharp", "short", "silent", "slow", "small", "smooth", "soft",
    "solid", "spare", "steady", "still", "stout", "strong", "sunny", "sweet", "swift", "tall", "tidy", "tiny", "true", "vast",
    "warm", "wide", "wild", "wise", "young", "zesty",
  ]
  private static let second = [
    "acorn", "alder", "badger", "bay", "beech", "birch", "bloom", "brook", "cedar", "cliff", "cloud", "clover", "crane", "creek",
    "dawn", "delta", "dune", "eagle", "elm", "falcon", "fern", "field", "finch", "fjord", "forest", "fox", "glade", "grove",
    "harbor", "hawk", "hazel", "heron", "hill", "island", "ivy", "kestrel", "lake", "larch", "lark", "linden", "lynx", "maple",
    "marsh", "meadow", "moor", "oak", "otter", "owl", "pine", "plover", "pond", "reed", "ridge", "river", "robin", "rowan",
    "sparrow", "spring", "stone", "swan", "thrush", "valley", "willow", "wren",
  ]

  /// Returns one of some 400,000 names.
  static func random() -> String {
    "\(first.randomElement() ?? "new")-\(second.randomElement() ?? "oak")-\(Int.random(in: 1...99))"
  }
}
