import DVBackend
import DVFile
import DVGit
import DVLineage
import DVObject
import DVStore
public import DVWorkspace
import SystemPackage

/// Makes data complete on a remote.
///
/// Costs what changed: of a directory that was pushed before, only what differs from an earlier version is looked at.
public struct PushData: Sendable {
  private let paths: [TreePath]
  private let scope: ShareScope
  private let remote: String?
  private let width: Int?

  /// - Parameters:
  ///   - paths: what to push, relative to the working tree's root; a part of a tracked directory stands for all of it.
  ///   - remote: the remote's name; the default one if not given.
  ///   - width: how many packs to copy at a time.
  public init(_ paths: [TreePath] = [], scope: ShareScope = .workingTree, to remote: String? = nil, width: Int? = nil) {
    self.paths = paths
    self.scope = scope
    self.remote = remote
    self.width = width
  }

  /// Carries it out.
  ///
  /// - Returns: what was done. What could not be pushed is in its failures; all else was.
  /// - Throws: ``RepositoryError`` with code `unreachable` if the remote cannot be reached, `conflict` if the alias of a model is
  ///   contested: who decides that needs nothing that is pushed here, and nobody else should build on it.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> ShareReport {
    try repository.requireUncontestedAliases()
    let remote = try repository.remote(remote)
    // All pointers are read while the remote is looked at. Paths come first: one that is wrong must not make a remote.
    let all = scope == .workingTree && paths.isEmpty ? try repository.selectAll() : nil
    let chosen = all == nil ? try ShareRequest(paths, scope, in: repository) : nil
    async let selection = BlockingThreads.run { () throws(WorkspaceError) in try all?.read() }
    progress.begin("Comparing")
    let store = try await repository.remoteStore(remote, create: true)
    async let look = RemotePush.look(at: store)
    let request: ShareRequest
    if let chosen { request = chosen } else { request = try ShareRequest(try await selection ?? Selection()) }
    // After the pointers: what they name was indexed before they were written.
    let local = try await repository.localStore(for: .read)
    let findings = try await look
    let erasures = try repository.erasures()
    local.store.regardAsErased(erasures.oids)
    store.regardAsErased(erasures.oids)
    let push = RemotePush(from: local.store, to: store, width: width) { progress.count($0) }
    // What is complete has a root record, which is about the whole.
    var roots: [TransferRoot] = []
    roots.reserveCapacity(request.items.count)
    for item in request.items where !item.root.isErased(by: erasures) { roots.append(item.root.whole) }
    var records = try await FreshRecords(for: store, remote, in: repository)
    // Those of a commit that is not checked out, as of an experiment, are nowhere else.
    var named = records.records
    if case .revision(let revision) = scope {
      named += try repository.git.records(in: try repository.git.resolve(revision: revision)).map(\.record)
    }
    roots += try await RecordedObjects(of: request.items, and: named, in: repository, local.store).roots
      .filter { !$0.isErased(by: erasures) }
    let plan = try await push.plan(roots, after: findings)
    let bases = try Bases(of: plan, scope, in: repository).find(for: request.items)
    if !plan.missing.isEmpty { progress.begin("Pushing", totalBytes: 0, totalItems: 0) }
    let done = try await push.run(plan, bases: bases, publishing: false)

    var report = ShareReport(remote: remote)
    report.notes = records.problems
    var failure: (any Error)?
    do {
      // What records name is there now, as far as it is here.
      try await records.add()
      if let note = try await bearWitness(store, remote, in: repository) { report.notes.append(note) }
    } catch {
      failure = error
    }
    // Last of what is written there, whatever failed, and meanwhile what is noted here.
    async let published: Void = push.publishListing(after: plan)
    do { try repository.noteComplete((plan.complete + done.committed).lazy.map(\.oid), on: remote) } catch {
      failure = failure ?? error
    }
    await published
    if let failure { throw failure }

    report.records = records.records.count
    report.add(done.transfer, place: local.store.name)
    report.healedPacks = done.healedPacks
    for pointer in request.unreadable { report.add(pointer) }
    for item in request.items where item.root.isErased(by: erasures) {
      try await refuse(item.root.oid, at: [item.root.label], erasures, local.store, &report)
    }
    for left in done.transfer.erased { try await refuse(left.key.id, at: left.affects, erasures, local.store, &report) }
    let fresh = Set(done.committed.map(\.oid))
    report.items.reserveCapacity(request.items.count)
    for item in request.items where !item.root.isErased(by: erasures) {
      let isFresh = fresh.contains(item.root.oid)
      guard isFresh || plan.isComplete(item.root) else { continue }
      report.items.append(
        ShareReport.Item(path: item.data.target, inside: .root, pointer: item.data.pointer, wasThere: !isFresh))
    }
    return report
  }

  /// Has the remote see what may be rewritten in git.
  ///
  /// - Returns: why that could not be: a push of data does not fail for it.
  private func bearWitness(_ store: ObjectStore, _ remote: Remote, in repository: Repository) async throws -> String? {
    do {
      var witness = try await RemoteWitness(of: store, remote, in: repository)
      try await witness.add(repository.statementsToWitness(), to: store, remote, in: repository)
      var seen = SeenTags(of: repository)
      try seen.add(repository.witnessedTags())
      return nil
    } catch let error as BackendError {
      return "The remote could not bear witness to tags and history: \(error.message)"
    }
  }

  /// Tells that an erased file was not pushed: a failure if it is here still.
  private func refuse(
    _ oid: ObjectID, at paths: [String], _ erasures: Erasures, _ local: ObjectStore, _ report: inout ShareReport
  ) async throws {
    guard let item = erasures.items[oid] else { return }
    guard try await local.containsFile(oid) else {
      report.leftOut += paths
      return
    }
    for path in paths {
      report.add(erased: oid, at: path, item, place: local.name, "It is still here and was not pushed: 'dv erase --yes' removes it.")
    }
  }
}

extension TransferRoot {
  /// All of what this is a part of.
  fileprivate var whole: TransferRoot { inside.isEmpty ? self : TransferRoot(kind: kind, oid: oid, size: size, label: label) }

  /// Whether it is a file that was erased.
  func isErased(by erasures: Erasures) -> Bool { kind == .file && erasures.items[oid] != nil }
}

/// The records of this clone that a remote lacks.
private struct FreshRecords {
  private(set) var records: [Record] = []
  private(set) var problems: [String] = []
  private var remote: RemoteRecords?

  init(for store: ObjectStore, _ remote: Remote, in repository: Repository) async throws {
    let own = RecordDirectory(repository.dataDirectory.appending("records"))
    let names = try own.names()
    // Who records nothing asks for nothing.
    guard !names.isEmpty else { return }
    let there = try await RemoteRecords(of: store, remote, in: repository)
    let known = there.ids
    for id in names where !known.contains(id) {
      do throws(RecordError) {
        if let record = try own.read(id) { records.append(record) }
      } catch {
        problems.append("A record was not pushed: \(error.message)")
      }
    }
    problems += there.problems
    self.remote = there
  }

  mutating func add() async throws {
    guard !records.isEmpty else { return }
    try await remote?.add(records)
  }
}

/// Finds earlier versions of data that a remote has whole.
private struct Bases {
  private let plan: RemotePush.Plan
  private let starts: [GitObjectID]
  private let repository: Repository

  /// Commits and versions of one path looked at before the whole tree is walked.
  private static let commitLimit = 5000
  private static let versionLimit = 50

  init(of plan: RemotePush.Plan, _ scope: ShareScope, in repository: Repository) throws {
    self.plan = plan
    self.repository = repository
    switch scope {
    case .workingTree, .all: starts = try repository.git.head().commit.map { [$0] } ?? []
    case .revision(let revision): starts = [try repository.git.resolve(revision: revision)]
    case .commits(let commits, _): starts = commits
    }
  }

  /// Returns, for trees that are to be pushed, the nearest earlier version of the same path that is complete there.
  func find(for items: [SharedItem]) throws -> [ObjectID: ObjectID] {
    let missing = Set(plan.missing.map(\.oid))
    var wanted: [TreePath: [ObjectID]] = [:]
    for item in items where item.root.kind == .tree && missing.contains(item.root.oid) {
      wanted[item.data.pointerPath, default: []].append(item.root.oid)
    }
    var bases: [ObjectID: ObjectID] = [:]
    guard !wanted.isEmpty, plan.knowsTrees else { return bases }
    var versions: [TreePath: Int] = [:]
    let walk = PointerWalk(repository.git)
    var commits = try repository.git.commits(from: starts, firstParentOnly: true)
    for _ in 0..<Self.commitLimit {
      guard !wanted.isEmpty, let commit = try commits.next() else { break }
      for pointer in try walk.newPointers(in: commit) {
        guard let path = TreePath(pointer.path.bytes), let oids = wanted[path] else { continue }
        versions[path, default: 0] += 1
        if let data = try repository.data(of: pointer), plan.isKnownTree(data.pointer.oid) {
          for oid in oids { bases[oid] = data.pointer.oid }
          wanted[path] = nil
        } else if versions[path, default: 0] >= Self.versionLimit {
          wanted[path] = nil
        }
      }
    }
    return bases
  }
}
