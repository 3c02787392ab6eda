import DVFile
import DVGit
import DVObject
public import DVWorkspace

/// Compares what is on disk with the pointers.
///
/// A target that the stat cache vouches for costs one system call per file; the store is opened only where something
/// differs. Files whose identity is too young to be believed are read, and the cache is written again.
///
/// A remote that is asked is listed, and read no further than its records and index as long as all is well with it.
public struct ReportStatus: Sendable {
  /// Where to learn what is pushed.
  public enum RemoteSource: Hashable, Sendable {
    /// From what this clone remembers of the default remote.
    case remembered
    /// From a remote: the one named, or the default one.
    case asked(String?)
  }

  private let paths: [TreePath]
  private let question: RemoteSource

  /// - Parameter paths: what to look at, relative to the working tree's root; nothing for all.
  public init(_ paths: [TreePath] = [], remote question: RemoteSource = .remembered) {
    self.paths = paths
    self.question = question
  }

  /// Looks.
  ///
  /// - Throws: ``RepositoryError`` with code `unreachable`, or a ``StoreError``, if a remote that is asked cannot answer.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> StatusReport {
    let selection = try repository.select(paths)
    let store = LazyStore(try repository.storePlace())
    let index = try repository.git.index()
    let hasConflicts = index.hasConflicts
    var report = StatusReport()
    var complete: Set<ObjectID>?
    if question == .remembered, let remote = try? repository.remote(nil) {
      // Several remotes without a default are no reason not to tell the status.
      report.remote = remote.name
      complete = repository.knownComplete(on: remote) ?? []
    }
    progress.begin("Looking")

    for pointer in selection.unreadable {
      report.entries.append(
        StatusReport.Entry(pointer.target, pointer.isConflicted ? .conflicted : .unreadable, message: pointer.message))
    }
    for item in selection.items {
      let target = item.data.target
      report.targets += 1
      if hasConflicts, try index.conflict(at: try GitPath(item.data.pointerPath.bytes)) != nil {
        report.entries.append(StatusReport.Entry(target, .conflicted))
        continue
      }
      let look: TargetLook
      do {
        look = try await repository.look(at: target)
      } catch let error as WorkspaceError where error.code == .unsupported {
        report.entries.append(StatusReport.Entry(target, .unsupported, message: error.message))
        continue
      }
      if !look.isKnown(as: item.data.pointer) {
        report.entries += try await entries(of: item, look, in: repository, store: store, progress: progress)
      }
      if let complete, !complete.contains(item.data.pointer.oid),
        try await isHere(item.data.pointer, look, in: store)
      {
        report.entries.append(StatusReport.Entry(target, .unpushed))
      }
    }
    if case .asked(let name) = question {
      let asked = RemoteQuestion(remote: try repository.remote(name), selection: selection, paths: paths)
      report.remote = asked.remote.name
      report.askedRemote = true
      report.entries += try await asked.entries(in: repository, progress: progress)
    }
    return report
  }

  /// Compares one target, having read what the cache does not vouch for.
  private func entries(
    of item: Selection.Item, _ look: TargetLook, in repository: Repository, store: LazyStore, progress: ProgressSink
  ) async throws -> [StatusReport.Entry] {
    let target = item.data.target
    let disk = try await look.hashed(progress: progress)
    if let disk, let found = look.found, found.toHash > 0 || look.cache == nil {
      // Only time is lost if it cannot be kept, as in a clone of somebody else's.
      try? repository.statCaches.save(disk.cache, of: target)
    }
    let status = try await TargetStatus.of(
      target, pointer: item.data.pointer, disk: disk, isStored: { try await store.holds($0) }, read: store.nodes)
    var entries = status.entries.map { StatusReport.Entry($0.path, StatusReport.State($0.state)) }
    entries += (look.found?.problems ?? []).map { StatusReport.Entry($0.path, .unsupported, message: $0.description) }
    guard !item.inside.isRoot else { return entries }
    let wanted = target.appending(item.inside)
    return entries.filter { $0.path == target || $0.path.relative(to: wanted) != nil }
  }

  /// Whether this clone could push what a pointer names.
  private func isHere(_ pointer: Pointer, _ look: TargetLook, in store: LazyStore) async throws -> Bool {
    if look.cache?.saved == pointer.oid { return true }
    return try await store.holds(pointer)
  }
}
