import DVFile
import DVGit
import DVObject
import DVStore
public import DVWorkspace

/// Adds what is on disk: makes the version, stores what of it is new, and hands the pointers to git.
///
/// In this order, so that nothing durable refers to what is not: objects, their index, pointers, `.gitignore`, git's index.
/// Whoever is killed on the way runs it again.
public struct AddData: Sendable {
  private let paths: [TreePath]

  /// - Parameter paths: relative to the working tree's root: files, directories, or parts of tracked directories.
  public init(_ paths: [TreePath]) { self.paths = paths }

  /// Carries it out. Paths that did not change cost a look at the disk; the store is not opened for them.
  ///
  /// - Throws: ``RepositoryError`` with code `usage` for a path that cannot be tracked, before anything is done.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> AddReport {
    try repository.requireProject()
    let request = try AddRequest(paths, in: repository)
    var session = try AddSession(repository: repository, progress: progress)
    progress.begin("Adding")
    for item in request.items { try await session.add(item) }
    return try await session.finish(updating: request.index)
  }
}

/// An add under way.
private struct AddSession {
  let repository: Repository
  let progress: ProgressSink
  private let reader: LazyStore
  private var report = AddReport()
  /// The session of writing, begun when something is to be stored.
  private var writing: (store: LocalStore, writer: ObjectWriter)?
  /// Stores that were written to: their locks are held until the pointers say what is needed, so that gc waits.
  private var written: [LocalStore] = []
  /// What is written when the objects are durable.
  private var pointers: [TreePath: Pointer] = [:]
  private var caches: [TreePath: StatCache] = [:]
  /// Targets in the order in which they were named, each once.
  private var targets: [TreePath] = []
  private var known: Set<TreePath> = []
  private var stagedTargets: Set<TreePath> = []

  init(repository: Repository, progress: ProgressSink) throws {
    self.repository = repository
    self.progress = progress
    reader = LazyStore(try repository.storePlace())
  }

  mutating func add(_ item: AddRequest.Item) async throws {
    let isFirst = known.insert(item.target).inserted
    if isFirst { targets.append(item.target) }
    if item.isStaged { stagedTargets.insert(item.target) }
    let previous = pointers[item.target] ?? item.previous
    let look = try await repository.look(at: item.target, only: item.inside, cache: caches[item.target])
    guard let found = look.found else {
      throw RepositoryError(
        .usage, "'\(item.target)' is tracked but not on disk.", remedy: "'dv checkout \(item.target)' brings it back.")
    }
    if let previous, look.isKnown(as: previous) {
      if !item.inside.isRoot { try requireIsThere(item, found) }
      return note(item, previous, was: item.previous, isRemoval: false, since: nil)
    }
    // The nodes of an earlier part of the same target must be readable.
    if !item.inside.isRoot, !isFirst { try await finishWriting() }
    let writer = try await openWriter()
    let before = writer.added
    let outcome = try await ingest(look, found, item, previous, writer)
    guard var pointer = outcome.pointer else {
      throw RepositoryError(.usage, "'\(item.path)' could not be read whole.", remedy: "Run the command again.")
    }
    let isRemoval = !item.inside.isRoot && !found.contains(item.inside)
    if isRemoval, pointer.oid == previous?.oid { throw notThere(item) }
    if pointer.oid == previous?.oid { pointer.run = previous?.run }
    pointers[item.target] = pointer
    caches[item.target] = outcome.cache
    note(item, pointer, was: previous, isRemoval: isRemoval, since: (writer, before))
  }

  private func ingest(
    _ look: TargetLook, _ found: ScanResult, _ item: AddRequest.Item, _ previous: Pointer?, _ writer: ObjectWriter
  ) async throws -> IngestResult {
    let progress = progress
    let ingest = TreeIngest(of: look.scan, writer: writer) { files, bytes in
      progress.advance(bytes: bytes, items: UInt64(files))
    }
    progress.expect(bytes: found.bytesToHash, items: UInt64(found.toHash))
    if !item.inside.isRoot, let previous, previous.kind == .tree {
      try requireNotIgnored(item, found)
      return try await ingest.run(found, only: item.inside, of: previous, cache: look.cache, read: reader.nodes)
    }
    return try await ingest.run(found, previous: previous, cache: look.cache)
  }

  /// Refuses a part that is on disk and that `.dvignore` leaves out: it would be taken out of the version.
  private func requireNotIgnored(_ item: AddRequest.Item, _ found: ScanResult) throws {
    guard !found.contains(item.inside), try isOnDisk(item) else { return }
    throw RepositoryError(
      .usage, "'\(item.path)' is left out by a .dvignore file.", remedy: "Change the .dvignore, or do not add it.")
  }

  private func requireIsThere(_ item: AddRequest.Item, _ found: ScanResult) throws {
    try requireNotIgnored(item, found)
    if !found.contains(item.inside) { throw notThere(item) }
  }

  private func isOnDisk(_ item: AddRequest.Item) throws -> Bool {
    try repository.requireWorkDirectory().appending(item.path).fileStat() != nil
  }

  private func notThere(_ item: AddRequest.Item) -> RepositoryError {
    RepositoryError(.usage, "'\(item.path)' is neither on disk nor in the tracked version of '\(item.target)'.")
  }

  private mutating func note(
    _ item: AddRequest.Item, _ pointer: Pointer, was previous: Pointer?, isRemoval: Bool,
    since start: (writer: ObjectWriter, added: (newBytes: UInt64, storedBytes: UInt64))?
  ) {
    let added = start.map { start in
      let now = start.writer.added
      return (now.newBytes - start.added.newBytes, now.storedBytes - start.added.storedBytes)
    }
    report.items.append(
      AddReport.Item(
        path: item.path, pointerPath: PointerFile.path(for: item.target), pointer: pointer,
        isChanged: previous?.withoutRun != pointer.withoutRun, isRemoval: isRemoval,
        lostRun: previous?.run != nil && pointer.run == nil, newBytes: added?.0 ?? 0, storedBytes: added?.1 ?? 0))
  }

  // MARK: - The store

  private mutating func openWriter() async throws -> ObjectWriter {
    if let writing { return writing.writer }
    let store = try await repository.localStore(for: .write)
    let writer = ObjectWriter(addingTo: store.store)
    writing = (store, writer)
    return writer
  }

  /// Makes what was stored durable.
  private mutating func finishWriting() async throws {
    guard let writing else { return }
    _ = try await writing.writer.finish()
    written.append(writing.store)
    self.writing = nil
    // A reader that was opened before does not know the new nodes.
    try await reader.refresh()
  }

  // MARK: - The end

  /// Pointers that are written at a time.
  private static let writeWidth = 16

  mutating func finish(updating index: GitIndex) async throws -> AddReport {
    try await finishWriting()
    let root = try repository.requireWorkDirectory()
    var staged: [GitPath] = []
    let lock = try repository.lockWorkingTree()
    // Several at once, because each waits for the disk.
    let files = targets.compactMap { target in
      pointers[target].map { PointerFile(path: PointerFile.path(for: target), pointer: $0) }
    }
    try await files.forEachConcurrently(width: Self.writeWidth) { file in
      try await BlockingThreads.run { () throws(WorkspaceError) in try file.write(in: root) }
    }
    for ignore in try GitIgnoreFile.add(targets, in: root) { staged.append(try GitPath(ignore.bytes)) }
    let changed = Set(report.items.lazy.filter(\.isChanged).map(\.pointerPath))
    for target in targets {
      let path = PointerFile.path(for: target)
      if !stagedTargets.contains(target) || changed.contains(path) { staged.append(try GitPath(path.bytes)) }
    }
    if !staged.isEmpty { try repository.git.stage(adding: staged, with: index) }
    withExtendedLifetime(lock) {}
    // Last, because a cache says of a version that it was added.
    for (target, cache) in caches { try repository.statCaches.save(cache, of: target) }
    return report
  }
}
