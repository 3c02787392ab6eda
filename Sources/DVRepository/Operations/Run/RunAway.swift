import DVBackend
import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
public import SystemPackage

/// Runs a command where there is no clone, as in a container or on a node of a cluster, and records it for adoption at home.
///
///     the files of the directory that no .gitignore names are the code; the commit is what DV_COMMIT and its like say
///     data that the command reads and that is not there is fetched from the remote that .dv/config names
///     what is known by now goes into one file or to a remote, in case that dv is killed: see ``RunDelivery``
///     the command runs
///     the record, and all that it names, go there: see ``AdoptRun``
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

  /// What was done.
  public struct Report: Sendable {
    public let finished: FinishedRun
    /// The commit that the directory was made from, 40 hex digits; `nil` if nobody says.
    public let commit: String?
    /// Bytes of the bundle; `nil` for a remote.
    public let bundleSize: UInt64?
  }

  private let work: RunWork
  private let destination: Destination
  private let environment: [[UInt8]]
  private let traces: Bool
  private let discardsReplaced: Bool
  private let deliverer: [[UInt8]]?

  /// - Parameters:
  ///   - environment: the variables of the process, which the command gets, `NAME=value`.
  ///   - traces: whether files that the command uses and does not declare are found and recorded.
  ///   - discardsReplaced: whether what lies in the place of an output may be lost.
  ///   - deliverer: a program and its first arguments, to which the directory with the run's folder is added: it is to call ``KilledRuns`` if
  ///     this process is killed.
  public init(
    _ work: RunWork, to destination: Destination, environment: [[UInt8]], traces: Bool = false, discardsReplaced: Bool = false,
    deliverer: [[UInt8]]? = nil
  ) {
    self.deliverer = deliverer
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
    let parent = try scratch(directory, lookUp)
    await KilledRuns(in: parent, lookUp).deliver(output, progress)
    let detached = try DetachedRepository(for: root, in: parent, lookUp)
    defer { withExtendedLifetime(detached) {} }
    let named = remote(directory)
    let inputs = try detached.open(.inputs, remote: named.url.map { (named.name ?? "", $0) })
    let reading = try RunSession(inputs, environment: commandEnvironment, output: output, progress: progress, isDetached: true)
    let commit = try CommitVariable.commit(reading.variables) ?? Self.head(of: root)
    if case .remote = destination { _ = try await inputs.remoteStore(try inputs.remote(named.name), create: true) }

    let leftOut = try detached.fillIndex(of: inputs, excluding: excluded)
    let (stage, arguments, isNamed) = try work.stage(in: inputs)
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
    session.commit = commit
    if traces { try await session.startTracing() }
    let key = try await session.key(of: stage)
    let started = try await session.start(stage, isNamed: isNamed, key: key, program: arguments.isEmpty ? nil : arguments)
    let delivery = RunDelivery(place: place(directory, named.name), repository: repository, progress: progress)
    let start = try await delivery.begin(started.record)
    try StartedNote(root: root, start: start, place: delivery.place).write(in: detached.path)
    output.note(.startedAway(start.id, bundle: start.file))
    var job = started.job
    job.heir = deliverer.map { .init(arguments: $0 + [parent.rawBytes], environment: environment) }
    let result = await job.run(output)
    let finished = try await session.finish(started, result)
    guard let record = try session.book.record(finished.record) else {
      throw RepositoryError(.missing, "The record \(finished.record.shortHex) is gone.")
    }
    let size = try await delivery.end(start, record, finished.run)
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
      return Self.temporaryDirectory(lookUp)
    }
  }

  /// Where a run makes its folder if nothing says a better place.
  static func temporaryDirectory(_ lookUp: (String) -> String?) -> FilePath {
    FilePath(lookUp("TMPDIR").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp")
  }

  private var excluded: [FilePath] {
    guard case .bundle(let file) = destination else { return [] }
    return [file]
  }

  private func place(_ directory: FilePath, _ remote: String?) -> RunDelivery.Place {
    switch destination {
    case .bundle(let file): .bundle(directory.pushing(file).lexicallyNormalized())
    case .remote: .remote(remote)
    }
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
}
