import DVBackend
import DVFile
import DVGit
import DVLineage
import DVObject
public import DVPipeline
import DVStore
public import DVWorkspace
public import SystemPackage

/// Runs a command where there is no clone, as in a container or on a node of a cluster, and records it for adoption at home.
///
///     the files of the directory that no .gitignore names are the code; the commit is what DV_COMMIT and its like say
///     data that the command reads and that is not there is fetched from the remote that .dv/config names
///     the command runs
///     the record, and all that it names, go into one file or to a remote: see ``AdoptRun``
///
/// Nothing is written into the directory but data that was fetched and what the command makes.
public struct RunAway: Sendable {
  /// Where the record and all that it names go.
  public enum Destination: Hashable, Sendable {
    /// A new file.
    case bundle(FilePath)
    /// A remote, by name, path or URL.
    case remote(String)
  }

  /// Which command is run.
  public enum Work: Sendable {
    /// What a command line says; with arguments a program that is run without a shell.
    case stage(Stage, arguments: [[UInt8]], isNamed: Bool)
    /// A stage of the `dv.yaml` here, by its name or address.
    case declared(String, in: TreePath)
  }

  /// What was done.
  public struct Report: Sendable {
    public let finished: FinishedRun
    /// The commit that the directory was made from, 40 hex digits; `nil` if nobody says.
    public let commit: String?
    /// Bytes of the bundle; `nil` for a remote.
    public let bundleSize: UInt64?
  }

  private let work: Work
  private let destination: Destination
  private let environment: [[UInt8]]
  private let traces: Bool
  private let discardsReplaced: Bool

  /// - Parameters:
  ///   - environment: the variables of the process, which the command gets, `NAME=value`.
  ///   - traces: whether files that the command uses and does not declare are found and recorded.
  ///   - discardsReplaced: whether what lies in the place of an output may be lost.
  public init(
    _ work: Work, to destination: Destination, environment: [[UInt8]], traces: Bool = false, discardsReplaced: Bool = false
  ) {
    self.work = work
    self.destination = destination
    self.environment = environment
    self.traces = traces
    self.discardsReplaced = discardsReplaced
  }

  /// Returns the top of the project that a directory is in: where `.dv/config` or `.git` is, else the directory itself.
  public static func root(above directory: FilePath) throws -> FilePath {
    for mark in [FilePath(".dv/config"), FilePath(".git")] {
      var place = directory.lexicallyNormalized()
      while true {
        if try place.pushing(mark).fileStat() != nil { return place }
        guard place.removeLastComponent() else { break }
      }
    }
    return directory.lexicallyNormalized()
  }

  /// Carries it out. A command that fails is a result, and its record is delivered as well.
  ///
  /// - Parameters:
  ///   - root: the top of the project.
  ///   - directory: the current directory, to which relative paths are relative.
  ///   - lookUp: looks up variables of the process.
  /// - Throws: before the command starts, for what makes no sense; afterwards, if the record cannot be delivered.
  public func run(
    root: FilePath, directory: FilePath, lookUp: @escaping @Sendable (String) -> String?, output: RunOutput, progress: ProgressSink
  ) async throws -> Report {
    let detached = try DetachedRepository(for: root, in: try scratch(directory, lookUp), lookUp)
    defer { withExtendedLifetime(detached) {} }
    let named = remote(directory)
    let inputs = try detached.open(.inputs, remote: named.url.map { (named.name ?? "", $0) })
    let reading = try RunSession(inputs, environment: commandEnvironment, output: output, progress: progress, isDetached: true)
    let commit = try CommitVariable.commit(reading.variables) ?? Self.head(of: root)
    if case .remote = destination { _ = try await inputs.remoteStore(try inputs.remote(named.name), create: true) }

    let leftOut = try detached.fillIndex(of: inputs, excluding: excluded)
    let (stage, arguments, isNamed) = try found(in: inputs)
    for path in leftOut where !stage.reads.contains(where: { path.relative(to: TreePath($0)) != nil }) {
      output.note(.warning("'\(path)' is too large for code, or a repository of its own: it is not recorded."))
    }
    for output in stage.outputs { try AddRequest.requirePlace(TreePath(output.path), in: root) }
    try await reading.bringIn(stage, fetching: (try? inputs.remote(nil)) != nil)
    // What is fetched is not what the run made.
    try detached.remove(.inputs)

    let repository = try detached.open(.store, remote: named.url.map { (named.name ?? "", $0) })
    let session = try RunSession(repository, environment: commandEnvironment, output: output, progress: progress, isDetached: true)
    session.discardsReplaced = discardsReplaced
    if traces { try await session.startTracing() }
    let key = try await session.key(of: stage)
    var started = try await session.start(stage, isNamed: isNamed, key: key, program: arguments.isEmpty ? nil : arguments)
    started.record.base = commit
    let result = await started.job.run(output)
    let finished = try await session.finish(started, result)
    guard let record = try session.book.record(finished.record) else {
      throw RepositoryError(.missing, "The record \(finished.record.shortHex) is gone.")
    }
    var size: UInt64?
    switch destination {
    case .bundle(let file):
      let local = try await repository.localStore(for: .write)
      size = try await RunBundle.write(record, of: local.backend, to: directory.pushing(file))
    case .remote: try await push(record, finished.run, repository, named.name, progress)
    }
    return Report(finished: finished, commit: commit, bundleSize: size)
  }

  /// The variables that the command gets: none that would lead git to nowhere.
  private var commandEnvironment: [[UInt8]] { IsolatedEnvironment.of(environment) }

  /// Where the folder of the run is made: where the bundle will be, so that what fits there fits here.
  private func scratch(_ directory: FilePath, _ lookUp: (String) -> String?) throws -> FilePath {
    switch destination {
    case .bundle(let file):
      let place = directory.pushing(file)
      guard try place.fileStat() == nil else {
        throw RepositoryError(.usage, "'\(place.printable)' exists already.", remedy: "Name another file, or remove it.")
      }
      guard try place.containingDirectory.fileStatFollowingLinks()?.kind == .directory else {
        throw RepositoryError(.usage, "There is no directory '\(place.containingDirectory.printable)' for the bundle.", remedy: "Make it.")
      }
      return place.containingDirectory
    case .remote:
      let path = lookUp("TMPDIR").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
      return FilePath(path)
    }
  }

  private var excluded: [FilePath] {
    guard case .bundle(let file) = destination else { return [] }
    return [file]
  }

  /// The remote by name; one that was given as a path or URL gets a name of its own.
  private func remote(_ directory: FilePath) -> (name: String?, url: String?) {
    guard case .remote(let text) = destination else { return (nil, nil) }
    if text.contains("://") { return ("away", text) }
    guard text.contains("/") || text.hasPrefix(".") else { return (text, nil) }
    return ("away", directory.pushing(FilePath(text)).lexicallyNormalized().string)
  }

  /// The commit checked out in the directory, if it is a working tree after all, as in continuous integration.
  private static func head(of root: FilePath) -> String? {
    guard (try? root.appending(".git").fileStat()) ?? nil != nil, let git = try? GitRepository(discoveringFrom: root) else { return nil }
    return (try? git.head().commit)??.hex
  }

  private func found(in repository: Repository) throws -> (stage: Stage, arguments: [[UInt8]], isNamed: Bool) {
    switch work {
    case .stage(let stage, let arguments, let isNamed): return (stage, arguments, isNamed)
    case .declared(let name, let directory):
      let graph = try repository.pipeline(from: directory).graph
      let positions = try graph.positions(named: name, from: try StagePath(directory))
      guard let only = positions.first, positions.count == 1 else {
        throw RepositoryError(.usage, "'\(name)' names \(positions.count) stages; away from home one is run at a time.")
      }
      return (graph.stages[only], [], true)
    }
  }

  /// Makes the record, and all that it names, complete on a remote.
  private func push(
    _ record: Record, _ run: RunRecord, _ repository: Repository, _ name: String?, _ progress: ProgressSink
  ) async throws {
    let remote = try repository.remote(name)
    let store = try await repository.remoteStore(remote, create: true)
    let local = try await repository.localStore(for: .read)
    let push = RemotePush(from: local.store, to: store) { progress.count($0) }
    progress.begin("Pushing", totalBytes: 0, totalItems: 0)
    let done = try await push.run(try await push.plan(RunContents(record, run).roots))
    if let failure = done.transfer.failed.first {
      throw RepositoryError(.unreachable, "The run could not be pushed whole: \(failure.message)", remedy: "Run it with --bundle.")
    }
    var records = try await RemoteRecords(of: store, remote, in: repository)
    try await records.add([record])
  }
}

/// All objects that a run's record names.
struct RunContents {
  /// What the run made.
  let outputs: [TransferRoot]
  /// Its code, environment, log, series and details.
  let others: [TransferRoot]

  var roots: [TransferRoot] { others + outputs }

  init(_ record: Record, _ run: RunRecord) {
    var others = run.objects(record.id)
    if let (details, size) = RunRecord.details(of: record) {
      others.append(TransferRoot(kind: .file, oid: details, size: size, label: "the details of run \(record.id.shortHex)"))
    }
    self.others = others
    outputs = run.outputs.compactMap { output in
      switch output.content.mode {
      case .directory: nil
      case .tree: TransferRoot(kind: .tree, oid: output.content.oid, size: output.content.size, label: output.path.text)
      // Of a large file that git tracks only the digest is kept.
      case .file, .exec:
        run.uncached.contains(output.path) && output.content.size > RunSession.uncachedLimit
          ? nil : TransferRoot(kind: .file, oid: output.content.oid, size: output.content.size, label: output.path.text)
      }
    }
  }
}
