import DVBackend
import DVFile
import DVGit
public import DVObject
public import DVStore
import DVWorkspace
public import SystemPackage

/// Says which versions a remote need not keep any more: see ``RootRetirement``.
///
/// Named ones, or those that nothing in this clone's git needs. Of the latter, whatever has no other known copy stays, and
/// so do versions pushed not long ago, which another clone may need that has not pushed its commits yet.
public struct RetireRoots: Sendable {
  /// A version on the remote.
  public struct Version: Hashable, Sendable {
    public let kind: TransferRoot.Kind
    public let oid: ObjectID
    public let size: UInt64
    /// When it was pushed last, in seconds since 1970 by the remote's clock.
    public let time: UInt64
    /// A path that it had in this clone's history, if any.
    public let path: String?
  }

  public struct Report: Sendable {
    public let remote: Remote
    public internal(set) var retired: [Version] = []
    /// Versions that would be retired if they had another copy.
    public internal(set) var lastCopies: [Version] = []
    /// Versions that nothing here needs and that were pushed not long ago.
    public internal(set) var young: [Version] = []
    public internal(set) var kept = 0
    public let grace: GracePeriod
    public let isDryRun: Bool
  }

  private let remote: String
  private let named: [String]
  private let directory: FilePath
  private let revisions: [String]
  private let age: GracePeriod
  private let isDryRun: Bool

  /// How long ago a version must have been pushed to be retired without being named.
  public static let standardAge = GracePeriod(seconds: 30 * 86_400)

  /// - Parameters:
  ///   - named: versions by oid, by the beginning of one, or as `[REV:]PATH`; with none, those that nothing needs.
  ///   - directory: what paths are relative to.
  ///   - revisions: of the history, only what these need stays; with none, what all history needs.
  ///   - age: how long ago a version must have been pushed.
  public init(
    on remote: String, named: [String] = [], from directory: FilePath, keeping revisions: [String] = [],
    olderThan age: GracePeriod = standardAge, isDryRun: Bool
  ) {
    self.remote = remote
    self.named = named
    self.directory = directory
    self.revisions = revisions
    self.age = age
    self.isDryRun = isDryRun
  }

  /// Carries it out.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    let remote = try repository.requireRemote(remote)
    progress.begin("Looking")
    let store = try await repository.remoteStore(remote, create: false)
    let retirement = try await RootRetirement(of: store)
    var report = Report(remote: remote, grace: try repository.remoteGrace(), isDryRun: isDryRun)
    var data = KeptData()
    try data.add(clone: repository.git.commonDirectory)
    var chosen: [RootRetirement.Content] = []
    if named.isEmpty {
      chosen = try await unneeded(retirement.contents, data, store, remote, repository, &report)
    } else {
      for name in named { chosen += try contents(named: name, retirement.contents, remote, in: repository) }
    }
    report.retired = chosen.map { version($0, data) }
    report.kept = retirement.contents.count - chosen.count
    if !isDryRun, !chosen.isEmpty { _ = try await retirement.retire(chosen) }
    return report
  }

  private func version(_ content: RootRetirement.Content, _ data: KeptData) -> Version {
    let root = TransferRoot(kind: content.kind, oid: content.oid, size: content.size, label: "")
    return Version(
      kind: content.kind, oid: content.oid, size: content.size, time: content.time, path: data.labels[root]?.first)
  }

  // MARK: By name

  private func contents(
    named name: String, _ contents: [RootRetirement.Content], _ remote: Remote, in repository: Repository
  ) throws -> [RootRetirement.Content] {
    let digits = name.hasPrefix("sha256:") ? String(name.dropFirst(7)) : name
    if digits.utf8.count >= 6, digits.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) {
      let found = contents.filter { $0.oid.hex.hasPrefix(digits) }
      if Set(found.map(\.oid)).count > 1 {
        throw RepositoryError(.usage, "'\(name)' is the beginning of several versions' oids.", remedy: "Give more digits.")
      }
      if !found.isEmpty { return found }
    }
    let selection = try repository.data(at: try repository.location(Array(name.utf8), from: directory))
    let oids = Set(selection.items.map(\.data.pointer.oid))
    guard selection.items.allSatisfy({ $0.inside.isRoot }) else {
      throw RepositoryError(.usage, "'\(name)' is a part of a tracked directory.", remedy: "Name the directory itself.")
    }
    let found = contents.filter { oids.contains($0.oid) }
    guard !found.isEmpty else {
      throw RepositoryError(
        .missing, "Remote '\(remote.name)' keeps no version that '\(name)' names.", remedy: "'dv remote retire \(remote.name)' lists some.")
    }
    return found
  }

  // MARK: What nothing needs

  private func unneeded(
    _ contents: [RootRetirement.Content], _ data: KeptData, _ store: ObjectStore, _ remote: Remote, _ repository: Repository,
    _ report: inout Report
  ) async throws -> [RootRetirement.Content] {
    var needed = Set(data.current.map(\.oid))
    if revisions.isEmpty {
      needed.formUnion(data.history.map(\.oid))
    } else {
      var kept = KeptData()
      for revision in revisions { try kept.addCurrent(try repository.git.resolve(revision: revision), of: repository.git) }
      // What was registered, pinned or is an experiment stays whatever becomes of the branches.
      for reference in try repository.git.references() where reference.isKeptForAudits {
        if let commit = reference.commit { try kept.addCurrent(commit, of: repository.git) }
      }
      needed.formUnion(kept.current.map(\.oid))
    }
    let now = try await store.backend.clock()
    var candidates: [RootRetirement.Content] = []
    for content in contents where !needed.contains(content.oid) {
      if now - Int64(clamping: content.time) < Int64(clamping: age.seconds) {
        report.young.append(version(content, data))
      } else {
        candidates.append(content)
      }
    }
    if candidates.isEmpty { return [] }
    var others: [StoreInventory] = []
    for other in try repository.remotes() where other.name != remote.name {
      // What cannot be asked has nothing.
      if let there = try? await repository.remoteStore(other, create: false), let inventory = try? await StoreInventory(of: there) {
        others.append(inventory)
      }
    }
    let local = try await repository.localStore(for: .read)
    local.store.regardAsErased(try repository.erasures().oids)
    var completeness = Completeness(of: local.store)
    var chosen: [RootRetirement.Content] = []
    for content in candidates {
      let root = TransferRoot(kind: content.kind, oid: content.oid, size: content.size, label: "")
      var hasCopy = others.contains { $0.isComplete(content.kind, oid: content.oid, size: content.size) }
      if !hasCopy { hasCopy = try await completeness.has(root) }
      if hasCopy { chosen.append(content) } else { report.lastCopies.append(version(content, data)) }
    }
    return chosen
  }
}
