import DVBackend
import DVFile
import DVGit
public import DVStore
public import SystemPackage

/// Frees what nothing needs any more in the local store.
///
/// Needed is what any clone that uses the store can reach: see ``KeptData``. With revisions, of this clone's history only
/// theirs is, with what the working trees need; but data that is not known to be complete on a remote, which is asked now, is
/// kept in any case: garbage collection never drops the last copy that it knows of.
public struct CollectGarbage: Sendable {
  public struct Report: Sendable {
    public internal(set) var collection = CollectionReport()
    /// The store.
    public let directory: FilePath
    /// Clones that use it.
    public internal(set) var clones = 0
    /// Clones that are gone and were forgotten.
    public internal(set) var prunedClones: [FilePath] = []
    /// Files that killed processes left, removed.
    public internal(set) var abandonedFiles = 0
    /// Paths outside the revisions asked for that were kept because no remote has them whole.
    public internal(set) var keptUnpushed: [String] = []
    /// Remotes that could not be asked.
    public internal(set) var unreachable: [String] = []
    public let grace: GracePeriod
    public let isNow: Bool
    public let isDryRun: Bool
  }

  private let revisions: [String]
  private let isNow: Bool
  private let isDryRun: Bool
  private let prunesClones: Bool

  /// - Parameters:
  ///   - revisions: whose data is to stay; with none, all history's.
  ///   - isNow: whether to free at once, which needs the store for itself, instead of after the grace.
  ///   - prunesClones: whether clones whose git directory is gone are forgotten.
  public init(
    keeping revisions: [String] = [], isNow: Bool = false, isDryRun: Bool = false, prunesClones: Bool = false
  ) {
    self.revisions = revisions
    self.isNow = isNow
    self.isDryRun = isDryRun
    self.prunesClones = prunesClones
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError`` if a clone that uses the store cannot be read, or, with code `busy`, if another process is
  ///   writing and it is to be now.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    let grace = try grace(of: repository)
    let commits = try revisions.map { try repository.git.resolve(revision: $0) }
    progress.begin("Looking")
    // Opened first: whoever adds from now on either is counted below or is kept waiting.
    let local = try await repository.localStore(for: isDryRun ? .read : isNow ? .exclusive : .write)
    var report = Report(
      directory: local.backend.root, grace: grace, isNow: isNow, isDryRun: isDryRun)

    var kept: [TransferRoot] = []
    let own = repository.git.commonDirectory.lexicallyNormalized()
    for clone in try clones(of: repository, &report) {
      var data = KeptData()
      do {
        try data.add(clone: clone)
        if clone == own, !commits.isEmpty {
          for commit in commits { try data.addCurrent(commit, of: repository.git) }
          // Pins, registered versions and experiments stay whatever the revisions are.
          for reference in try repository.git.references() where reference.isKeptForAudits {
            if let commit = reference.commit { try data.addCurrent(commit, of: repository.git) }
          }
        }
      } catch {
        throw RepositoryError(
          .usage, "The clone '\(clone)' uses this store and cannot be read: \(error)",
          remedy: (error as? RepositoryError)?.remedy
            ?? "Nothing was removed. Make it readable, or remove the clone and run 'dv gc --prune-clones'.", cause: error)
      }
      kept += data.current
      if clone != own || commits.isEmpty {
        kept += data.history
      } else {
        kept += try await unpushed(data, repository, &report)
      }
    }
    progress.begin("Collecting")
    local.store.regardAsErased(try repository.erasures().oids)
    let mode: LocalCollection.Mode = isNow ? .now : .graceful(seconds: grace.seconds)
    report.collection = try await LocalCollection(store: local.store, mode: mode, dryRun: isDryRun).run(keeping: kept)
    if !isDryRun, report.collection.damaged.isEmpty {
      report.abandonedFiles = try await local.backend.removeAbandonedFiles(olderThan: isNow ? -1 : Self.abandonedAge)
      report.abandonedFiles += Downloads(repository).tidy(olderThan: isNow ? 0 : Downloads.age)
    }
    return report
  }

  /// Temporary files older than this, in seconds, belong to no process any more.
  private static let abandonedAge: Int64 = 2 * 86_400

  private func grace(of repository: Repository) throws -> GracePeriod {
    guard let text = try repository.configuration.string("gc.grace") else { return .standard }
    guard let grace = GracePeriod(text) else {
      throw RepositoryError(
        .usage, "gc.grace is '\(text)'.", remedy: "Give a number of days, or a number with w, d, h, m or s: '7', '12h'.")
    }
    return grace
  }

  /// Returns the clones that use the store.
  private func clones(of repository: Repository, _ report: inout Report) throws -> [FilePath] {
    var found: [FilePath] = []
    for clone in try repository.clonesOfStore() {
      if try clone.fileStatFollowingLinks() != nil {
        found.append(clone)
        continue
      }
      guard prunesClones else {
        throw RepositoryError(
          .usage, "The clone '\(clone)' uses this store and is not there, so nobody knows what it needs.",
          remedy: "Mount it, or, if it was removed or moved, forget it with 'dv gc --prune-clones'.")
      }
      if !isDryRun { try repository.forgetClone(clone) }
      report.prunedClones.append(clone)
    }
    report.clones = found.count
    return found
  }

  /// Returns what of a clone's history no remote is known to have whole.
  private func unpushed(
    _ data: KeptData, _ repository: Repository, _ report: inout Report
  ) async throws -> [TransferRoot] {
    var inventories: [StoreInventory] = []
    for remote in try repository.remotes() {
      do {
        inventories.append(try await StoreInventory(of: try await repository.remoteStore(remote, create: false)))
      } catch {
        // What cannot be asked has nothing.
        report.unreachable.append(remote.name)
      }
    }
    let wanted = Set(data.current.map(\.oid))
    let kept = data.history.filter { root in
      !inventories.contains { $0.isComplete(root.kind, oid: root.oid, size: root.size) }
    }
    report.keptUnpushed = kept.filter { !wanted.contains($0.oid) }.map(\.label)
    return kept
  }
}
