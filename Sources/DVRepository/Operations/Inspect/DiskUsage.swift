import DVGit
import DVObject
import DVStore
public import DVWorkspace

/// Tells how large versions of tracked data are, and what they take in the local store: the operation behind `dv du`.
public struct DiskUsage: Sendable {
  /// One version of some data.
  public struct Row: Hashable, Sendable {
    /// The revision as it was written, or the commit's ID; `nil` for the working tree's pointers.
    public let revision: String?
    /// Relative to the working tree's root.
    public let path: TreePath
    public let isDirectory: Bool
    /// Bytes of all files.
    public let size: UInt64
    public let files: UInt64
    /// Bytes that its objects take in the local store: each once, after compression.
    public internal(set) var stored: UInt64 = 0
    /// How much of ``stored`` the rows before use too.
    public internal(set) var shared: UInt64 = 0
    /// Bytes of its files of which the local store has nothing.
    public internal(set) var absent: UInt64 = 0
  }

  public struct Report: Sendable {
    public internal(set) var rows: [Row] = []
    /// Bytes that all rows together take in the local store.
    public internal(set) var stored: UInt64 = 0
    public internal(set) var unreadable: [UnreadablePointer] = []
  }

  private let locations: [Location]
  private let includesHistory: Bool

  /// - Parameters:
  ///   - locations: What to measure; each target below is a row. None stands for all of the working tree.
  ///   - includesHistory: Whether to look at every version in the history of HEAD or of the revision too.
  public init(_ locations: [Location], includesHistory: Bool = false) {
    self.locations = locations
    self.includesHistory = includesHistory
  }

  /// Measures.
  ///
  /// - Complexity: one look at the index for each object; 8 bytes of memory for each that is distinct, twice.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    var report = Report()
    let store = try await repository.localStore(for: .read).store
    var measure = StoredSizes(store: store)
    progress.begin("Measuring")
    for (revision, item) in try select(in: repository, &report) {
      progress.expect(bytes: item.data.pointer.size, items: item.data.pointer.files ?? 1)
      if let row = try await measure.row(revision, item, progress) { report.rows.append(row) }
    }
    report.stored = measure.total
    return report
  }

  private func select(
    in repository: Repository, _ report: inout Report
  ) throws -> [(revision: String?, item: Selection.Item)] {
    var selected: [(String?, Selection.Item)] = []
    for location in locations.isEmpty ? [Location(revision: nil, path: .root)] : locations {
      let selection = try repository.data(at: location)
      report.unreadable += selection.unreadable
      selected += selection.items.map { (location.revision, $0) }
      if includesHistory, let head = try repository.git.head().commit {
        let start = try location.revision.map { try repository.git.resolve(revision: $0) } ?? head
        selected += try history(of: selection.items, below: location.path, from: start, in: repository)
      }
    }
    return selected
  }

  /// Every other version of the data in the commits before `start`, the newest first.
  private func history(
    of items: [Selection.Item], below path: TreePath, from start: GitObjectID, in repository: Repository
  ) throws -> [(String?, Selection.Item)] {
    let walk = PointerWalk(repository.git)
    var known = Set(items.map { $0.data.withoutRun })
    var found: [(String?, Selection.Item)] = []
    try repository.git.forEachCommit(from: [start]) { commit in
      for pointer in try walk.newPointers(in: commit) {
        guard let data = try repository.data(of: pointer) else { continue }
        let inside = path.relative(to: data.target)
        guard inside != nil || data.target.relative(to: path) != nil || path == data.pointerPath,
          known.insert(data.withoutRun).inserted
        else { continue }
        found.append((commit.shortHex, Selection.Item(data: data, inside: inside ?? .root)))
      }
    }
    return found
  }
}

extension TrackedData {
  /// The same data without the run that made it.
  fileprivate var withoutRun: TrackedData { TrackedData(target: target, pointer: pointer.withoutRun) }
}

/// Sums up what objects take in a store, counting each once.
private struct StoredSizes {
  let store: ObjectStore
  /// The first 64 bits of the IDs of all objects met. That two objects have them in common is as good as impossible,
  /// and would cost the size of one chunk in a sum.
  private var met: Set<UInt64> = []
  private var ofRow: Set<UInt64> = []
  private(set) var total: UInt64 = 0

  init(store: ObjectStore) { self.store = store }

  /// Measures one version, or part of one; `nil` if the version has nothing there.
  mutating func row(
    _ revision: String?, _ item: Selection.Item, _ progress: ProgressSink
  ) async throws -> DiskUsage.Row? {
    ofRow = []
    let pointer = item.data.pointer
    let path = item.data.target.appending(item.inside)
    var root = Root(mode: pointer.mode, oid: pointer.oid, size: pointer.size, files: pointer.files ?? 1)
    if !item.inside.isRoot {
      guard let entry = try await entry(of: item, at: revision) else { return nil }
      root = Root(mode: entry.mode, oid: entry.oid, size: entry.size, files: entry.files)
    }
    var row = DiskUsage.Row(
      revision: revision, path: path, isDirectory: root.mode == .directory, size: root.size, files: root.files)
    if root.mode == .directory {
      try await addTree(root.oid, size: root.size, to: &row, progress)
    } else {
      try await addFile(root.oid, size: root.size, to: &row, progress)
    }
    return row
  }

  private struct Root {
    let mode: EntryMode
    let oid: ObjectID
    let size: UInt64
    let files: UInt64
  }

  /// Returns what a version has at the part that is meant.
  private func entry(of item: Selection.Item, at revision: String?) async throws -> TreeEntry? {
    guard item.data.pointer.kind == .tree else { return nil }
    let store = store
    let browser = TreeBrowser { try await store.read(ObjectKey(kind: .treeNode, id: $0)) }
    do throws(WorkspaceError) {
      return try await browser.entry(at: item.inside, in: item.data.pointer.oid)
    } catch {
      guard error.code == .missing else { throw error }
      throw RepositoryError(
        .missing, "The tree of '\(item.data.target)' is not in the local store.",
        remedy: Fetching.remedy(for: item.data.target, at: revision), cause: error)
    }
  }

  private mutating func addTree(
    _ node: ObjectID, size: UInt64, to row: inout DiskUsage.Row, _ progress: ProgressSink
  ) async throws {
    try Task.checkCancellation()
    let key = ObjectKey(kind: .treeNode, id: node)
    guard try await store.contains(key) else {
      row.absent = row.absent.addingClamped(size)
      return
    }
    try await add(key, to: &row)
    let decoded = try TreeNode(decoding: try await store.read(key))
    for item in decoded.items {
      if item.mode == nil || item.mode == .directory {
        try await addTree(item.oid, size: item.size, to: &row, progress)
      } else {
        try await addFile(item.oid, size: item.size, to: &row, progress)
      }
    }
  }

  private mutating func addFile(
    _ oid: ObjectID, size: UInt64, to row: inout DiskUsage.Row, _ progress: ProgressSink
  ) async throws {
    progress.advance(bytes: size, items: 1)
    guard size > 0 else { return }
    if size <= UInt64(ObjectKind.chunk.byteLimit), try await add(ObjectKey(kind: .chunk, id: oid), to: &row) { return }
    let list = ObjectKey(kind: .chunkList, id: oid)
    guard try await add(list, to: &row) else {
      row.absent = row.absent.addingClamped(size)
      return
    }
    var chunks: [ChunkReference] = []
    try await store.forEachChunkList(of: oid, size: size) { chunks += $0 }
    for chunk in chunks where try await !add(ObjectKey(kind: .chunk, id: chunk.id), to: &row) {
      row.absent = row.absent.addingClamped(UInt64(chunk.length))
    }
  }

  /// Counts an object once for the row and once for all.
  ///
  /// - Returns: whether the store has it.
  @discardableResult
  private mutating func add(_ key: ObjectKey, to row: inout DiskUsage.Row) async throws -> Bool {
    let mark = key.id.prefix64 &+ UInt64(key.kind.rawValue)
    if ofRow.contains(mark) { return true }
    guard let location = try await store.locations(of: key).first else { return false }
    ofRow.insert(mark)
    let length = UInt64(location.storedLength)
    row.stored += length
    if met.insert(mark).inserted { total += length } else { row.shared += length }
    return true
  }
}
