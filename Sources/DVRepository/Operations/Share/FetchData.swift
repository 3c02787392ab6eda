import DVObject
import DVStore
public import DVWorkspace

/// Brings data from a remote into the local store.
///
/// What is there already is found without asking the remote.
public struct FetchData: Sendable {
  private let paths: [TreePath]
  private let scope: ShareScope
  private let remote: String?
  private let width: Int?
  private let includesWorkingTree: Bool

  /// - Parameters:
  ///   - paths: what to fetch, relative to the working tree's root, also parts of tracked directories.
  ///   - includesWorkingTree: whether the data of the working tree's pointers is fetched beside the scope's.
  ///   - remote: the remote's name; the default one if not given.
  ///   - width: how many packs to copy at a time.
  public init(
    _ paths: [TreePath] = [], scope: ShareScope = .workingTree, includesWorkingTree: Bool = false,
    from remote: String? = nil, width: Int? = nil
  ) {
    self.paths = paths
    self.scope = scope
    self.includesWorkingTree = includesWorkingTree
    self.remote = remote
    self.width = width
  }

  /// Carries it out.
  ///
  /// - Returns: what was done. What could not be fetched is in its failures; all else was.
  /// - Throws: ``RepositoryError`` with code `unreachable` if something lacks and the remote cannot be reached.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> ShareReport {
    try await run(in: repository, progress: progress) { _, _, _ in nil }
  }

  /// Carries it out.
  ///
  /// - Parameter first: called with what lacks, the remote and the local store before anything is copied. It may bring parts by
  ///   itself, and says what it added.
  func run(
    in repository: Repository, progress: ProgressSink,
    first: (_ lacking: [SharedItem], _ source: ObjectStore, _ local: ObjectStore) async throws -> WriteReport?
  ) async throws -> ShareReport {
    let remote = try repository.remote(remote)
    var request = try ShareRequest(paths, scope, in: repository)
    if includesWorkingTree, scope != .workingTree { try request.addWorkingTree([], of: repository) }
    progress.begin("Comparing")
    let local = try await repository.localStore(for: .write)
    var report = ShareReport(remote: remote)
    for pointer in request.unreadable { report.add(pointer) }

    let erasures = try repository.erasures()
    local.store.regardAsErased(erasures.oids)
    // What a lost pack held is fetched again.
    let lost = try await local.store.avoidUnsound()
    var completeness = Completeness(of: local.store)
    var lacking: [SharedItem] = []
    for item in request.items {
      if item.root.isErased(by: erasures), let erasure = erasures.items[item.root.oid], try await !local.store.containsFile(item.root.oid) {
        report.add(erased: item.root.oid, at: item.root.label, erasure, place: local.store.name, "Nobody is to have it any more.")
        continue
      }
      if try await completeness.has(item.root) { report.add(item, wasThere: true) } else { lacking.append(item) }
    }
    report.skipped += report.items.count
    if !lacking.isEmpty {
      let source = try await repository.remoteStore(remote, create: false)
      source.regardAsErased(erasures.oids)
      let isHinted = await source.prepareFetch(of: lacking.map(\.root))
      progress.begin("Fetching", totalBytes: 0, totalItems: 0)
      let brought = try await first(lacking, source, local.store) ?? WriteReport()
      var transfer = try await Transfer(.fetch, from: source, to: local.store, width: width) { progress.count($0) }.run(
        lacking.map(\.root))
      transfer.include(brought)
      report.add(transfer, place: source.name)
      for left in transfer.erased {
        guard let erasure = erasures.items[left.key.id], try await !local.store.containsFile(left.key.id) else { continue }
        for path in left.affects {
          report.add(erased: left.key.id, at: path, erasure, place: source.name, "Nobody is to have it any more.")
        }
      }
      if transfer.failed.contains(where: { !$0.isCorrupt }) {
        try await report.tellLosses(among: transfer.incompleteRoots.map { lacking[$0].data }, of: source)
      }
      for (index, item) in lacking.enumerated() where !transfer.incompleteRoots.contains(index) {
        report.add(item, wasThere: false)
      }
      if !lost.isEmpty { try await local.store.forgetPacks(lost) }
      // Who asks for a little is not to read the records of all pushes.
      if !isHinted { try await note(request.items, from: source, remote, in: repository) }
    }
    try await fetchDetails(remote, local.store, in: repository, progress: progress)
    for item in report.items where !item.inside.isRoot { try await requireThere(item, in: local.store) }
    return report
  }

  /// Fetches what did not fit the records that git carries here. That a remote lacks some of it is no failure of the data's.
  private func fetchDetails(
    _ remote: Remote, _ local: ObjectStore, in repository: Repository, progress: ProgressSink
  ) async throws {
    let lacking = try await RecordedObjects.lackingDetails(in: repository, local)
    guard !lacking.isEmpty, let source = try? await repository.remoteStore(remote, create: false) else { return }
    _ = try await Transfer(.fetch, from: source, to: local, width: width) { progress.count($0) }.run(lacking)
  }

  /// Remembers what the remote has whole.
  private func note(
    _ items: [SharedItem], from source: ObjectStore, _ remote: Remote, in repository: Repository
  ) async throws {
    let roots = try await CompleteRoots(of: source)
    let complete = items.filter { roots.contains($0.root.kind, oid: $0.root.oid, size: $0.root.size) }
    try repository.noteComplete(complete.map(\.root.oid), on: remote)
  }

  /// Checks that a part that was asked for exists: the nodes on the way to it are here now.
  private func requireThere(_ item: ShareReport.Item, in store: ObjectStore) async throws {
    var oid = item.pointer.oid
    let names = item.inside.names
    for (index, name) in names.enumerated() {
      var found: TreeNode.Item?
      var node = try TreeNode(decoding: try await store.read(ObjectKey(kind: .treeNode, id: oid)))
      while node.level > 0 {
        let position = node.firstIndex(notBefore: name.span)
        guard position < node.count else { break }
        node = try TreeNode(
          decoding: try await store.read(ObjectKey(kind: .treeNode, id: node.items[position].oid)))
      }
      if node.level == 0 { found = node.item(named: try TreeName(name)) }
      guard let found, index == names.count - 1 || found.mode == .directory else {
        throw RepositoryError(
          .usage, "There is no '\(item.inside)' in the tracked version of '\(item.path)'.")
      }
      oid = found.oid
    }
  }
}

extension ShareReport {
  /// Makes damage of what is missing although a push had made it complete: a remote that lost it is no remote that never had it.
  fileprivate mutating func tellLosses(among incomplete: [TrackedData], of source: ObjectStore) async throws {
    let roots = try await CompleteRoots(of: source)
    let lost = incomplete.filter { data in
      roots.contains(data.pointer.kind == .tree ? .tree : .file, oid: data.pointer.oid, size: data.pointer.size)
    }
    let targets = lost.map(\.target.description)
    failures = failures.map { failure in
      guard failure.kind == .missing, targets.contains(where: { failure.path == $0 || failure.path.hasPrefix($0 + "/") })
      else { return failure }
      return Failure(
        kind: .corrupt, path: failure.path, oid: failure.oid, place: failure.place,
        message: failure.message + " A push had made it complete there.")
    }
  }

  mutating func add(_ item: SharedItem, wasThere: Bool) {
    items.append(
      Item(path: item.data.target, inside: item.inside, pointer: item.data.pointer, wasThere: wasThere))
  }
}
