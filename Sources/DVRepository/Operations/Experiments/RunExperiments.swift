import DVFile
import DVGit
public import DVLineage
import DVObject
import DVPipeline
import DVStore
public import DVWorkspace
import SystemPackage

/// Runs the pipeline with other parameters, each time in a working tree of its own, and keeps what comes of it as commits
/// at `refs/dv/exp/`.
///
/// Experiments start from what is on disk: the files that git tracks with changes that are not committed, and data by its
/// pointers. The user's working tree and branches stay as they are.
public struct RunExperiments: Sendable {
  private let request: ExperimentRequest
  private let directory: TreePath
  private let environment: [[UInt8]]

  /// - Parameters:
  ///   - directory: the current directory.
  ///   - environment: the variables that commands get, `NAME=value`.
  public init(_ request: ExperimentRequest, directory: TreePath = .root, environment: [[UInt8]]) {
    self.request = request
    self.directory = directory
    self.environment = environment
  }

  /// Carries it out. An experiment that fails is a result, and the others go on.
  ///
  /// - Parameter output: returns where the experiment of a number shows what it does.
  public func run(
    in repository: Repository, output: @escaping @Sendable (Int, [Experiment.Setting]) -> RunOutput, progress: ProgressSink
  ) async throws -> ExperimentReport {
    try repository.requireProject()
    guard let head = try repository.git.head().commit else {
      throw RepositoryError(.usage, "There is no commit yet that experiments could be made from.", remedy: "Commit something first.")
    }
    if let name = request.name, !Experiment.isName(name) {
      throw RepositoryError(
        .usage, "'\(name)' cannot name an experiment.", remedy: "Use letters, digits, '_', '-' and '.', 100 at most.")
    }
    let combinations = try request.combinations()
    try IsolatedWorktree.removeLeftovers(of: repository)
    let pipeline = try repository.pipeline(from: directory)
    guard !pipeline.graph.stages.isEmpty else {
      throw RepositoryError(.usage, "There are no stages here to run.", remedy: "Declare some in dv.yaml, or with 'dv run -n'.")
    }
    for name in request.targets { _ = try pipeline.graph.positions(named: name, from: try StagePath(directory)) }
    try requireNames(combinations.count, in: repository)
    try requireParameters(combinations[0], in: repository)

    let local = try await repository.localStore(for: .write)
    let writer = ObjectWriter(addingTo: local.store)
    var snapshot = CodeSnapshot(writer: writer)
    let code = try await snapshot.take(
      of: repository, declared: pipeline.graph.stages.flatMap(\.reads).map { TreePath($0) })
    _ = try await writer.finish()
    let start = ExperimentStart(
      root: try repository.requireWorkDirectory(), lookUp: repository.environment, head: head, code: code.id,
      tracked: try tracked(in: repository), directory: directory, request: request,
      environment: IsolatedEnvironment.of(environment), author: try author(in: repository))

    var report = ExperimentReport()
    report.items = combinations.map { ExperimentReport.Item(settings: $0) }
    try await withThrowingTaskGroup(of: (Int, ExperimentReport.Item, Bool).self) { group in
      var next = 0
      func add() {
        let (number, settings) = (next, combinations[next])
        let name = request.name.map { combinations.count == 1 ? $0 : "\($0)-\(number + 1)" }
        next += 1
        group.addTask {
          let (item, wasInterrupted) = try await ExperimentWork(
            start: start, settings: settings, name: name, output: output(number, settings), progress: progress
          ).run()
          return (number, item, wasInterrupted)
        }
      }
      while next < min(max(1, request.width), combinations.count) { add() }
      while let (number, item, wasInterrupted) = try await group.next() {
        report.items[number] = item
        if wasInterrupted { report.wasInterrupted = true }
        if next < combinations.count, !report.wasInterrupted, !Task.isCancelled { add() }
      }
    }
    if Task.isCancelled { report.wasInterrupted = true }
    // Thousands of small files would make every listing slow.
    if report.items.count > 32 { try? repository.git.packReferences() }
    return report
  }

  /// Files and links that git tracks, and whether they are on the user's disk.
  private func tracked(in repository: Repository) throws -> [ExperimentStart.Tracked] {
    let root = try repository.requireWorkDirectory()
    return try repository.git.index().entries(under: .root).compactMap { entry in
      guard entry.stage == 0, entry.kind != .submodule, let path = TreePath(entry.path.bytes) else { return nil }
      return ExperimentStart.Tracked(
        path: path, isDeleted: try !entry.isSkipWorktree && root.appending(path).fileStat() == nil)
    }
  }

  private func requireNames(_ count: Int, in repository: Repository) throws {
    guard let name = request.name else { return }
    let taken = Set(try repository.git.referenceTargets(prefix: Experiment.referencePrefix).map(\.name))
    for number in 1...count {
      let full = count == 1 ? name : "\(name)-\(number)"
      if taken.contains(Experiment.referencePrefix + full) {
        throw RepositoryError(
          .usage, "There is an experiment '\(full)' already.", remedy: "Choose another name, or remove it with 'dv exp rm \(full)'.")
      }
    }
  }

  /// Checks that the parameters that are to be set exist, before anything runs.
  private func requireParameters(_ settings: [Experiment.Setting], in repository: Repository) throws {
    let root = try repository.requireWorkDirectory()
    for setting in settings { _ = try ExperimentWork.edited(setting, in: root) }
  }

  private func author(in repository: Repository) throws -> GitSignature {
    let known = try repository.git.signature()
    guard let name = repository.environment("GIT_AUTHOR_NAME") ?? known?.name,
      let email = repository.environment("GIT_AUTHOR_EMAIL") ?? known?.email
    else {
      throw RepositoryError(
        .usage, "Experiments are commits, and git does not know who makes them.",
        remedy: "Run 'git config --global user.name NAME' and 'git config --global user.email ADDRESS'.")
    }
    return GitSignature(name: name, email: email, time: Moment.milliseconds / 1000, offset: known?.offset ?? 0)
  }
}

/// What all experiments of one command start from.
struct ExperimentStart: Sendable {
  struct Tracked: Sendable {
    let path: TreePath
    let isDeleted: Bool
  }

  /// The top of the user's working tree.
  let root: FilePath
  let lookUp: @Sendable (String) -> String?
  let head: GitObjectID
  /// The tree of the code.
  let code: ObjectID
  let tracked: [Tracked]
  let directory: TreePath
  let request: ExperimentRequest
  let environment: [[UInt8]]
  let author: GitSignature
}
