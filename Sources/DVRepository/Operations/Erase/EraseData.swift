import DVBackend
import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVSQLite
import DVStore
import DVWorkspace
public import SystemPackage

/// Takes the bytes of files out of the local store and of remotes, for good: the operation behind `dv erase`.
///
///     1  the impact: what the files ended up in
///     2  the record, staged for git: from now on nobody who has it brings the files back
///     3  what they are made of is noted in `<git directory>/dv/erasing/<oid>`, until all remotes were reached
///     4  the local store, alone in it; then the remotes, beside everybody
///
/// Killed anywhere, it is completed by running it again, with or without naming the files.
public struct EraseData: Sendable {
  private let targets: [[UInt8]]
  private let reason: String?
  private let remotes: [String]?
  private let isDryRun: Bool
  private let directory: FilePath

  /// - Parameters:
  ///   - targets: files by oid, by the beginning of one, as `[REV:]PATH`, or any file on disk, which is meant by its content; directories,
  ///     which mean all files in them, and patterns of paths; with none, all files that records say were erased.
  ///   - reason: why, for the record; needed for files that no record says were erased.
  ///   - remotes: the remotes to reach; `nil` for all.
  ///   - directory: what paths are relative to.
  public init(_ targets: [[UInt8]], reason: String?, remotes: [String]? = nil, isDryRun: Bool, from directory: FilePath) {
    self.targets = targets
    self.reason = reason
    self.remotes = remotes
    self.isDryRun = isDryRun
    self.directory = directory
  }

  /// Carries it out.
  ///
  /// - Returns: what was done. Remotes that could not be reached are in the report.
  /// - Throws: ``RepositoryError/Code/usage`` if a target is no data, or means too many files; ``StoreError`` if the local store is damaged.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> EraseReport {
    try repository.requireProject()
    progress.begin("Looking")
    var report = EraseReport(isDryRun: isDryRun)
    let known = try repository.erasures()
    try await find(known, in: repository, &report)
    if report.items.isEmpty { return report }
    let oids = Set(report.items.map(\.oid))
    let tracked = try await tracked(oids, in: repository)
    report.stillTracked = tracked.map(\.path)
    for index in report.items.indices {
      let paths = tracked.filter { $0.oid == report.items[index].oid }.map(\.path)
      // Names of directories say less than those of the files.
      report.items[index].paths = paths + report.items[index].paths.filter { !paths.contains($0) && (paths.isEmpty || !$0.hasSuffix("/…")) }
    }
    if !isDryRun { try await record(in: repository, &report) }

    let chosen = try remotes.map { try $0.map { try repository.remote($0) } } ?? repository.remotes()
    var opened: [(remote: Remote, store: ObjectStore)] = []
    var failed: [EraseReport.Place] = []
    for remote in chosen {
      if case .http = remote.url {
        report.notReached.append(
          .init(place: "remote '\(remote.name)'", advice: "It can only be read from: erase in the directory or bucket behind it."))
        continue
      }
      do {
        opened.append((remote, try await repository.remoteStore(remote, create: false, asksAgain: true)))
      } catch let error as RepositoryError where error.code == .missing {
        // Nothing was ever pushed to it.
      } catch {
        failed.append(EraseReport.Place(name: "remote '\(remote.name)'", problem: "\(error)"))
      }
    }
    progress.begin("Erasing")
    let local = try await repository.localStore(for: isDryRun ? .read : .exclusive)
    let objects = try await objects(of: oids, in: [local.store] + opened.map(\.store), of: repository)
    let kept = try keptRoots(of: repository)
    var place = EraseReport.Place(name: local.store.name)
    // Before anything goes: then the lists still tell.
    let first = try await StoreErasure(in: local.store, of: oids, objects, .local(keeping: kept)).run(dryRun: true)
    report.sharedWith = try await local.store.paths(needing: first.shared, in: kept, without: oids, limit: 20)
    place.store = first
    if !isDryRun {
      place.store = try await StoreErasure(in: local.store, of: oids, objects, .local(keeping: kept)).run()
      _ = try await local.backend.removeAbandonedFiles(olderThan: -1)
    }
    report.places.append(place)
    for (remote, store) in opened {
      var place = EraseReport.Place(name: store.name)
      do {
        let erasure = StoreErasure(in: store, of: oids, objects, .remote, readingFrom: local.store)
        place.store = try await erasure.run(dryRun: isDryRun)
      } catch let error as CancellationError {
        throw error
      } catch {
        place.problem = "\(error)"
      }
      report.places.append(place)
      if case .s3 = remote.url {
        report.notReached.append(
          .init(place: store.name, advice: "If the bucket keeps versions of objects, remove the old ones there."))
      }
    }
    report.places += failed
    withExtendedLifetime(local) {}
    try await tellRest(oids, chosen, in: repository, &report)
    if !isDryRun, report.isComplete, remotes == nil {
      for oid in oids { try Self.note(of: oid, in: repository).removeFile() }
    }
    return report
  }

  // MARK: - What is meant

  private func find(_ known: Erasures, in repository: Repository, _ report: inout EraseReport) async throws {
    let index = try LineageIndex(of: repository)
    try await index.update(from: repository)
    let absent = try await index.updateContents(repository.dataReader(allowingRemote: false).nodes)
    let trace = LineageTrace(index, of: repository)
    var meant = ErasureTargets(of: repository, index, from: directory)
    if targets.isEmpty { meant.add(known.oids.sorted()) }
    for target in targets { try await meant.add(target) }
    report.unsearchedTrees = absent
    for directory in meant.directories {
      report.directories.append(
        .init(name: directory.name, files: directory.files.count, graph: try await impact(of: directory.files, trace)))
    }
    let named = Set(meant.files)
    for oid in meant.all {
      var item = EraseReport.Item(oid: oid, isNamed: named.contains(oid), paths: try trace.places(of: oid))
      if let erasure = known.items[oid] { (item.record, item.reason) = (erasure.record, erasure.reason) } else { item.reason = reason }
      guard item.reason != nil || isDryRun else {
        throw RepositoryError(.usage, "Nothing says why \(oid.shortHex) is erased.", remedy: "Give the reason with --reason: it is recorded in git.")
      }
      if item.isNamed { item.graph = try await impact(of: [oid], trace) }
      // Of a file in directories that are not checked out, only these are known.
      let parts = item.graph.edges.filter { $0.role == "part of" }.compactMap { edge in item.graph.node(edge.to)?.label }
      if item.paths.isEmpty { item.paths = Array(Set(parts)).sorted().map { $0 + "/…" } }
      report.items.append(item)
    }
  }

  /// What files ended up in, taken together.
  private func impact(of oids: [ObjectID], _ trace: LineageTrace) async throws -> LineageGraph {
    var walk = GraphWalk(trace: trace)
    let starts = try oids.flatMap { oid -> [LineageKey] in
      let paths = try trace.places(of: oid)
      return paths.isEmpty ? [.data(path: "", oid: oid)] : paths.map { .data(path: $0, oid: oid) }
    }
    try await walk.follow(starts, direction: .down, depth: nil)
    return walk.graph
  }

  /// Writes the records that are lacking, and stages them.
  private func record(in repository: Repository, _ report: inout EraseReport) async throws {
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    let local = try await repository.localStore(for: .write)
    var staged: [GitPath] = []
    for index in report.items.indices {
      if report.items[index].record == nil {
        var record = ErasedRecord(
          report.items[index].oid, reason: report.items[index].reason ?? "", paths: report.items[index].paths, time: Moment.milliseconds)
        record.user = try repository.recordedUser()
        record.host = try repository.recordedHost()
        let made = record
        report.items[index].record = try await book.append(ObjectWriter(addingTo: local.store)) { link in
          var record = made
          record.chain = link
          return (try record.encoded(), nil)
        }
      }
      guard let id = report.items[index].record, repository.workDirectory != nil, try book.own.read(id) != nil else { continue }
      staged.append(try GitPath(try book.publish(id).bytes))
    }
    let lock = try repository.lockWorkingTree()
    if !staged.isEmpty { try repository.git.stage(adding: staged) }
    withExtendedLifetime((lock, local)) {}
    repository.forgetErasures()
  }

  // MARK: - What it is made of

  private static func note(of oid: ObjectID, in repository: Repository) -> FilePath {
    repository.dataDirectory.appending("erasing").appending(oid.hex)
  }

  /// Gathers what the files are made of: from lists in all stores, and from what an erasure that was stopped noted.
  private func objects(of oids: Set<ObjectID>, in stores: [ObjectStore], of repository: Repository) async throws -> ErasedObjects {
    var all = ErasedObjects(of: [])
    for oid in oids.sorted() {
      var objects = ErasedObjects(of: [oid])
      let note = Self.note(of: oid, in: repository)
      if let bytes = try? note.readAll(limit: ErasedObjects.byteLimit), let noted = ErasedObjects(decoding: bytes) { objects.add(noted) }
      for store in stores {
        do throws(StoreError) { try await objects.add([oid], listedIn: store) } catch {
          // A list that cannot be read names nothing; another store may have it whole.
          guard error.code == .missing || error.code == .corrupt else { throw error }
        }
      }
      if !isDryRun {
        try note.containingDirectory.createDirectories(durable: true)
        try note.replaceContent(with: objects.encoded.span)
      }
      all.add(objects)
    }
    return all
  }

  /// What every clone that uses the local store needs of it.
  private func keptRoots(of repository: Repository) throws -> [TransferRoot] {
    var data = KeptData()
    for clone in try repository.clonesOfStore() {
      guard try clone.fileStatFollowingLinks() != nil else {
        throw RepositoryError(
          .usage, "The clone '\(clone)' uses the local store and is not there, so nobody knows what it needs.",
          remedy: "Mount it, or, if it was removed or moved, forget it with 'dv gc --prune-clones'.")
      }
      try data.add(clone: clone)
    }
    return data.all
  }

  // MARK: - What is left

  /// Paths under which the pointers of the working tree name the files.
  private func tracked(_ oids: Set<ObjectID>, in repository: Repository) async throws -> [(path: String, oid: ObjectID)] {
    guard repository.workDirectory != nil else { return [] }
    var found: [(path: String, oid: ObjectID)] = []
    let nodes = try repository.dataReader(allowingRemote: false).nodes
    for item in try repository.select([]).items {
      let pointer = item.data.pointer
      if pointer.kind == .file {
        if oids.contains(pointer.oid) { found.append((item.data.target.description, pointer.oid)) }
        continue
      }
      do {
        try await TreeBrowser(read: nodes).forEachEntry(of: pointer.oid, at: item.data.target, entering: { _, _ in true }) { path, entry in
          if oids.contains(entry.oid) { found.append((path.description, entry.oid)) }
        }
      } catch {
        // What is not here was not fetched, and names nothing on disk.
        let failure = WorkspaceError(wrapping: error)
        guard failure.code == .missing || failure.code == .corrupt else { throw error }
      }
    }
    return found
  }

  private func tellRest(
    _ oids: Set<ObjectID>, _ chosen: [Remote], in repository: Repository, _ report: inout EraseReport
  ) async throws {
    for remote in try repository.remotes() where !chosen.contains(where: { $0.name == remote.name }) {
      report.notReached.append(.init(place: "remote '\(remote.name)'", advice: "It was not named: 'dv erase -r \(remote.name)'."))
    }
    for place in report.places where place.store.quarantined > 0 {
      report.notReached.append(
        .init(place: "\(place.name), 'quarantine/'", advice: "It has \(place.store.quarantined) files that repairs set aside: look, and remove them."))
    }
    for path in try await copies(oids, report, in: repository) {
      report.notReached.append(.init(place: "the file '\(path)'", advice: "It is yours: remove it, and 'dv add' what it is in."))
    }
    report.notReached.append(
      .init(place: "other clones", advice: "They keep what they have until they get the record with 'git pull' and run 'dv erase --yes'."))
  }

  /// Files of the working trees that are what was erased, among those at paths where it was tracked.
  private func copies(_ oids: Set<ObjectID>, _ report: EraseReport, in repository: Repository) async throws -> [String] {
    let paths = Set(report.stillTracked).union(report.items.flatMap(\.paths))
    var found: [String] = []
    for worktree in try repository.git.worktrees() {
      guard let root = worktree.workDirectory else { continue }
      for path in paths.sorted() {
        guard let inner = TreePath(path) else { continue }
        let file = root.appending(inner)
        guard try file.fileStat()?.kind == .regular, let oid = try? await HashPaths(file).run(in: nil, progress: ProgressSink()).oid,
          oids.contains(oid)
        else { continue }
        found.append(root == repository.workDirectory ? path : file.string)
      }
    }
    return found
  }
}
