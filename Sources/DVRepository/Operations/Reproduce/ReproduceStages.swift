import DVFile
import DVLineage
import DVPipeline
public import DVWorkspace
import SystemPackage

/// Brings stages up to date: decides for each, in order, whether it must run, and runs what must.
///
/// Nothing is locked and no file says what was done last: a stage is up to date if a run with the same key is recorded and
/// what it made is there.
public struct ReproduceStages: Sendable {
  /// What is asked for.
  public struct Request: Sendable {
    /// Names of stages, files or outputs; all stages if there is none.
    public var targets: [String] = []
    /// The current directory.
    public var directory = TreePath.root
    /// Whether only to decide.
    public var isDry = false
    /// How many stages may run at once.
    public var width = 1
    /// Whether to run what is up to date too.
    public var isForced = false
    /// Whether to leave out the stages that targets need.
    public var isSingle = false
    /// Whether the targets are where to start rather than where to arrive.
    public var goesDown = false
    /// Whether data that a stage needs is fetched from the remote, if it is not in the local store.
    public var pulls = false
    /// Whether a run counts only if its surroundings, declared or not, were those of here.
    public var isStrict = false
    /// Whether files that stages use and do not declare are found and recorded.
    public var traces = false
    /// Whether to go on with other stages after one failed.
    public var keepsGoing = false

    public init() {}
  }

  private let request: Request
  private let environment: [[UInt8]]

  /// - Parameter environment: the variables that commands get, `NAME=value`.
  public init(_ request: Request, environment: [[UInt8]]) {
    self.request = request
    self.environment = environment
  }

  /// Carries it out. A stage that fails is a result.
  ///
  /// - Throws: ``PipelineError``; ``RepositoryError/Code/usage`` for a missing input; ``RepositoryError/Code/busy`` if
  ///   another `dv repro` works in the same working tree.
  public func run(in repository: Repository, output: RunOutput, progress: ProgressSink) async throws -> ReproduceReport {
    let lock = request.isDry ? nil : try Self.lock(repository)
    defer { withExtendedLifetime(lock) {} }
    let pipeline = try repository.pipeline(from: request.directory)
    for warning in pipeline.warnings { output.note(.warning(warning)) }
    let positions = try selection(in: pipeline.graph)
    let session = try RunSession(repository, environment: environment, output: output, progress: progress)
    if request.traces, !request.isDry { try await session.startTracing() }
    if !request.isDry { _ = try await session.journal.adopt(session.book, in: repository) }
    var work = ReproduceWork(
      graph: pipeline.graph, positions: positions, request: request, session: session,
      past: try await PastRuns(session.book), shared: try SharedRuns(repository))
    if request.isDry { try await work.decideAll() } else { try await work.carryOut() }
    for problem in work.shared.problems { output.note(.warning(problem)) }
    var report = work.report
    report.absent = try absent(report, positions.map { pipeline.graph.stages[$0] }, session)
    return report
  }

  private func absent(_ report: ReproduceReport, _ stages: [Stage], _ session: RunSession) throws -> [StagePath] {
    let done = Set(report.items.filter(\.isUpToDate).map(\.stage))
    return try stages.filter { done.contains($0.address) }.flatMap(\.outputs).filter { output in
      try output.isCached && session.root.appending(TreePath(output.path)).fileStat() == nil
    }.map(\.path)
  }

  private func selection(in graph: StageGraph) throws -> [Int] {
    guard !request.targets.isEmpty else { return Array(graph.stages.indices) }
    let start = try StagePath(request.directory)
    var named: [Int] = []
    for target in request.targets { named += try graph.positions(named: target, from: start) }
    if request.isSingle { return Set(named).sorted() }
    return graph.closure(of: named, downstream: request.goesDown)
  }

  /// Holds the working tree: of those that bring stages up to date one at a time works in it.
  static func lock(_ repository: Repository) throws -> HeldLock {
    try repository.treeDirectory.createDirectories()
    let path = repository.treeDirectory.appending("repro.lock")
    return HeldLock(try FileLock.wait(for: path, .exclusive))
  }
}
