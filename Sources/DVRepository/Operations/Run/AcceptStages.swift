import DVFile
import DVGit
import DVLineage
public import DVObject
import DVPipeline
import DVStore
public import DVWorkspace
import SystemPackage

/// Records that what is there is what stages would make, without running them: somebody vouches for it.
///
/// The record says so for ever: its status is `asserted`, and it has no exit code, log or environment.
public struct AcceptStages: Sendable {
  /// What became of one stage.
  public struct Item: Sendable {
    public let stage: String
    public let record: ObjectID
    /// Whether a run that made these outputs was recorded before: then nothing was done.
    public let wasRecorded: Bool
  }

  private let names: [String]
  private let directory: TreePath
  private let environment: [[UInt8]]

  /// - Parameters:
  ///   - names: stages, files or outputs.
  ///   - directory: the current directory.
  ///   - environment: the variables that commands would get, `NAME=value`.
  public init(_ names: [String], directory: TreePath, environment: [[UInt8]]) {
    self.names = names
    self.directory = directory
    self.environment = environment
  }

  /// Carries it out, in the order of the pipeline.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for an input or output that is missing; ``RepositoryError/Code/busy`` if
  ///   'dv repro' works in the same working tree.
  public func run(in repository: Repository, output: RunOutput, progress: ProgressSink) async throws -> [Item] {
    let lock = try ReproduceStages.lock(repository)
    defer { withExtendedLifetime(lock) {} }
    let graph = try repository.pipeline(from: directory).graph
    let start = try StagePath(directory)
    let positions = Set(try names.flatMap { try graph.positions(named: $0, from: start) }).sorted()
    let session = try RunSession(repository, environment: environment, output: output, progress: progress)
    _ = try await session.journal.adopt(session.book, in: repository)
    var items: [Item] = []
    var past = try await PastRuns(session.book)
    for position in positions { items.append(try await session.accept(graph.stages[position], &past)) }
    return items
  }
}

extension RunSession {
  fileprivate func accept(_ stage: Stage, _ past: inout PastRuns) async throws -> AcceptStages.Item {
    let key = try await key(of: stage)
    let there = try await outputs(of: stage)
    if let missing = stage.outputs.first(where: { there[$0.path] == nil }) {
      throw RepositoryError(
        .usage, "'\(missing.path)', which the stage '\(stage.address)' makes, is not there, so there is nothing to accept.",
        remedy: "'dv repro \(stage.address)' makes it.")
    }
    let question = StageQuestion(
      stage: stage, key: key, runs: try await past.runs(of: stage, key: key.id, namedBy: []), outputs: there)
    if case .upToDate(let record) = question.decide() {
      return AcceptStages.Item(stage: stage.address, record: record, wasRecorded: true)
    }
    let writer = ObjectWriter(addingTo: try await repository.localStore(for: .write).store)
    var record = try await record(of: stage, key: key, writer)
    record.status = .asserted
    record.start = Moment.milliseconds
    record.end = record.start
    _ = try await writer.finish()

    var previous: [StagePath: Pointer] = [:]
    for output in stage.outputs where output.isCached {
      previous[output.path] = try PointerFile.read(PointerFile.path(for: TreePath(output.path)), in: root)?.pointer
    }
    // What is not checked out is what its pointer says.
    let onDisk = try stage.outputs.filter { try root.appending(TreePath($0.path)).fileStat() != nil }
    let stored = try await store(onDisk)
    record.outputs = stage.outputs.compactMap { output in
      stored.first { $0.path == output.path } ?? there[output.path].map { PathState(output.path, $0) }
    }
    record.metrics = try metrics(of: stage)
    let id = try await book.append(record, ObjectWriter(addingTo: try await repository.localStore(for: .write).store))
    try name(id, as: stage, previous)
    return AcceptStages.Item(stage: stage.address, record: id, wasRecorded: false)
  }
}
