import DVFile
public import DVLineage
import DVObject
import DVStore
public import DVWorkspace
import SystemPackage

/// Brings imported data up to date with where it came from: the operation behind `dv update`.
public struct UpdateImports: Sendable {
  /// What was found of one target.
  public struct Item: Sendable {
    public enum State: String, Sendable {
      case updated
      /// The source has what is here.
      case current
      /// The source has something else; it was not to be fetched.
      case outdated
      /// Whether the source has something else is known when it is fetched.
      case unknown
      case failed
    }

    public let path: TreePath
    public let origin: SourceRecord.Origin
    public let state: State
    /// What was done, if it was updated.
    public let report: ImportReport?
    public let error: (any Error)?
  }

  private let paths: [TreePath]
  private let revision: String?
  private let isForced: Bool
  private let isDryRun: Bool
  private let bucket: AddRemote.BucketOptions
  private let environment: [[UInt8]]

  /// - Parameters:
  ///   - paths: imported data, relative to the working tree's root; nothing for all of it.
  ///   - revision: of the other repository, from now on; if not given, what was asked for before.
  ///   - isForced: whether what was changed here is replaced.
  ///   - isDryRun: whether nothing is changed.
  ///   - environment: the variables that git gets, `NAME=value`.
  public init(
    _ paths: [TreePath], to revision: String?, isForced: Bool, isDryRun: Bool,
    bucket: AddRemote.BucketOptions = AddRemote.BucketOptions(), environment: [[UInt8]]
  ) {
    self.paths = paths
    self.revision = revision
    self.isForced = isForced
    self.isDryRun = isDryRun
    self.bucket = bucket
    self.environment = environment
  }

  /// Carries it out. What fails does not keep the others from being updated.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for a path that was not imported.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> [Item] {
    let selection = try repository.select(paths)
    let known = try await KnownSources(of: repository)
    var work: [(data: TrackedData, source: KnownSources.Found)] = []
    for item in selection.items {
      guard let source = try known.find(item.data) else {
        if paths.isEmpty { continue }
        throw RepositoryError(
          .usage, "'\(item.data.target)' was not imported, as far as is recorded.",
          remedy: "'dv import' and 'dv import-url' track data with where it came from.")
      }
      guard item.inside.isRoot else {
        throw RepositoryError(.usage, "'\(item.data.target)' was imported as a whole.", remedy: "Update it as a whole.")
      }
      work.append((item.data, source))
    }
    let own = RecordDirectory(repository.dataDirectory.appending("records"))
    var items: [Item] = []
    for (data, source) in work {
      do {
        if paths.isEmpty, source.source.origin.isOfThisMachine, try own.read(source.id) == nil {
          throw RepositoryError(
            .usage,
            "'\(data.target)' comes from a place of this machine, '\(source.source.origin.url)', as somebody's record says that was not made in "
              + "this clone.", remedy: "If you want what is there now in this repository, name it: 'dv update \(data.target)'.")
        }
        items.append(try await update(data, source, in: repository, progress: progress))
      } catch let error as CancellationError {
        throw error
      } catch {
        items.append(Item(path: data.target, origin: source.source.origin, state: .failed, report: nil, error: error))
      }
    }
    return items
  }

  private func update(
    _ data: TrackedData, _ found: KnownSources.Found, in repository: Repository, progress: ProgressSink
  ) async throws -> Item {
    func item(_ state: Item.State, _ report: ImportReport? = nil) -> Item {
      Item(path: data.target, origin: report?.origin ?? found.source.origin, state: state, report: report, error: nil)
    }
    if !found.isUnchanged, !isForced {
      throw RepositoryError(
        .conflict, "'\(data.target)' is not what was imported any more: it was changed here since.",
        remedy: "--force replaces it with what the source has; git keeps the version of here.")
    }
    let top = try repository.requireWorkDirectory()
    progress.begin("Looking")
    switch found.source.origin {
    case .repository(let url, let path, let earlier, _):
      guard let path = path == "." ? .root : TreePath(path) else { throw RepositoryError(.usage, "The record of '\(data.target)' names no path.") }
      let wanted = revision ?? earlier
      let opened = try await SourceRepository(url, revision: wanted, environment: environment).open(from: top)
      let upstream = try await UpstreamData(path, in: opened)
      if let there = upstream.pointer, there == data.pointer.withoutRun, found.isUnchanged, wanted == earlier { return item(.current) }
      if isDryRun { return item(upstream.pointer == nil ? .unknown : upstream.pointer == data.pointer.withoutRun ? .current : .outdated) }
      let place = try ImportPlace(data.target, in: repository, isForced: isForced)
      try await place.requireUnchanged(progress: progress)
      let local = try await repository.localStore(for: .write)
      let pointer = try await upstream.bring(to: local, in: repository, progress: progress)
      if pointer == data.pointer.withoutRun, found.isUnchanged, wanted == earlier { return item(.current) }
      let report = try await place.take(
        pointer, from: .repository(url: url, path: path.description, revision: wanted, commit: opened.commit), known: found, local,
        progress: progress)
      return item(report.isChanged ? .updated : .current, report)
    case .location(let url, let version):
      guard revision == nil || paths.isEmpty else {
        throw RepositoryError(.usage, "'\(data.target)' came from a URL, which has no revisions.", remedy: "Leave --rev out.")
      }
      let location = try ForeignLocation(url, from: top, bucket: bucket, in: repository)
      let now = try await location.look()
      if let now, let version, now.isSame(as: version), found.isUnchanged { return item(.current) }
      if isDryRun { return item(.unknown) }
      let place = try ImportPlace(data.target, in: repository, isForced: isForced)
      try await place.requireUnchanged(progress: progress)
      let local = try await repository.localStore(for: .write)
      let (pointer, fetched) = try await location.bring(to: local, as: data.target, progress: progress)
      if pointer == data.pointer.withoutRun, found.isUnchanged, fetched == version || fetched == nil { return item(.current) }
      let report = try await place.take(
        pointer, from: .location(url: url, version: fetched), known: found, local, progress: progress)
      return item(report.isChanged ? .updated : .current, report)
    }
  }
}

extension SourceRecord.Origin {
  /// Whether the bytes are asked of no server, so that a record of somebody else's could bring private files of this user's into the
  /// repository.
  fileprivate var isOfThisMachine: Bool {
    if url.lowercased().hasPrefix("file:") { return true }
    // A scheme, or git's short form `host:path`.
    return !url.prefix { $0 != "/" }.contains(":")
  }
}
