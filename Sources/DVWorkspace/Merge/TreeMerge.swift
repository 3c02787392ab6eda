public import DVObject

/// Merges what two sides made of one tree, name by name.
///
/// With `base`, `ours` and `theirs` standing under a name, each a file, a link, a directory or nothing:
///
///     ours = theirs             ours
///     ours = base               theirs
///     theirs = base             ours
///     directories, or nothing   merged name by name, nothing being a directory without names
///     two files                 content and executable bit each by the three rules above
///     anything else             a conflict
///
/// A directory that all sides, or all but one, have alike is not read. Of the others the entries are streamed: it costs
/// the memory of a few nodes per level and the open nodes of the result.
public struct TreeMerge: Sendable {
  /// How many conflicts are listed by name.
  public static let listedConflicts = 1000

  private let read: NodeReader
  private let emit: @Sendable (ObjectID, [UInt8]) async throws -> Void

  /// - Parameters:
  ///   - read: Reads nodes of all three trees.
  ///   - emit: Takes each node of the result that was built anew. Of a conflicted merge, some were passed on too.
  public init(
    read: @escaping NodeReader, emit: @escaping @Sendable (ObjectID, [UInt8]) async throws -> Void
  ) {
    self.read = NodeMemory(over: read).reader
    self.emit = emit
  }

  /// Merges.
  ///
  /// - Parameters:
  ///   - base: The tree that both began with; `nil` if they have none in common.
  ///   - path: What the paths of conflicts begin with.
  /// - Throws: ``WorkspaceError`` with code `missing` if a node cannot be found, `corrupt` if one is damaged.
  public func run(
    base: ObjectID?, ours: ObjectID, theirs: ObjectID, at path: TreePath = .root
  ) async throws(WorkspaceError) -> MergeOutcome {
    var conflicts = ConflictList()
    do {
      let merged = try await directory(base: base, ours: ours, theirs: theirs, at: path, depth: 0, &conflicts)
      guard conflicts.count == 0 else { return .conflicted(conflicts.listed, count: conflicts.count) }
      return .merged(oid: merged.oid, totals: merged.totals)
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }

  private struct ConflictList {
    var listed: [MergeConflict] = []
    var count = 0

    mutating func append(_ path: TreePath, _ kind: MergeConflict.Kind) {
      if listed.count < TreeMerge.listedConflicts { listed.append(MergeConflict(path: path, kind: kind)) }
      count += 1
    }
  }

  private struct Directory {
    let oid: ObjectID
    let totals: TreeTotals
    let count: Int
  }

  private func directory(
    base: ObjectID?, ours: ObjectID?, theirs: ObjectID?, at path: TreePath, depth: Int, _ conflicts: inout ConflictList
  ) async throws -> Directory {
    guard depth <= TreeScan.maximumDepth else {
      throw WorkspaceError(.corrupt, "A tree is deeper than \(TreeScan.maximumDepth) directories.")
    }
    var streams = [
      try await EntryStream(base, read: read), try await EntryStream(ours, read: read),
      try await EntryStream(theirs, read: read),
    ]
    var heads: [TreeEntry?] = []
    for index in streams.indices { heads.append(try await streams[index].next()) }
    var builder = TreeBuilder()
    var finished: [(ObjectID, [UInt8])] = []
    while let name = heads.compactMap({ $0?.name }).min() {
      var sides: [TreeEntry?] = []
      for index in heads.indices {
        guard heads[index]?.name == name else {
          sides.append(nil)
          continue
        }
        sides.append(heads[index])
        heads[index] = try await streams[index].next()
      }
      let entry = try await merge(
        sides[0], sides[1], sides[2], name: name, in: path, depth: depth, &conflicts)
      guard let entry else { continue }
      try builder.append(entry) { id, bytes in finished.append((id, bytes)) }
      try await pass(&finished)
    }
    let count = builder.count
    let root = try builder.finish { id, bytes in finished.append((id, bytes)) }
    try await pass(&finished)
    return Directory(oid: root.oid, totals: root.totals, count: count)
  }

  private func pass(_ nodes: inout [(ObjectID, [UInt8])]) async throws {
    for (id, bytes) in nodes { try await emit(id, bytes) }
    nodes.removeAll(keepingCapacity: true)
  }

  /// Merges what stands under one name. Of a conflict it returns any side: the result is not used.
  private func merge(
    _ base: TreeEntry?, _ ours: TreeEntry?, _ theirs: TreeEntry?, name: TreeName, in directory: TreePath, depth: Int,
    _ conflicts: inout ConflictList
  ) async throws -> TreeEntry? {
    if ours == theirs || theirs == base { return ours }
    if ours == base { return theirs }
    let path = directory.appending(name.bytes)
    let isDirectory = { (entry: TreeEntry?) in entry?.mode == .directory }
    let isFree = { (entry: TreeEntry?) in entry == nil || entry?.mode == .directory }
    if isDirectory(ours) || isDirectory(theirs), isFree(ours), isFree(theirs),
      isFree(base) || ours != nil && theirs != nil
    {
      let merged = try await self.directory(
        base: isDirectory(base) ? base?.oid : nil, ours: ours?.oid, theirs: theirs?.oid, at: path, depth: depth + 1,
        &conflicts)
      // Where one side removed the directory, it goes with the last name in it.
      if merged.count == 0, ours == nil || theirs == nil { return nil }
      return TreeEntry(
        name: name, mode: .directory, oid: merged.oid, size: merged.totals.bytes, files: merged.totals.files)
    }
    if let merged = Self.mergeFiles(base, ours, theirs) { return merged }
    conflicts.append(path, Self.kind(base, ours, theirs))
    return ours ?? theirs
  }

  /// Merges content and executable bit of a file by themselves; `nil` if that is a conflict.
  private static func mergeFiles(_ base: TreeEntry?, _ ours: TreeEntry?, _ theirs: TreeEntry?) -> TreeEntry? {
    guard let base, let ours, let theirs,
      [base, ours, theirs].allSatisfy({ $0.mode == .file || $0.mode == .executable })
    else { return nil }
    let mode = ours.mode == base.mode ? theirs.mode : ours.mode
    if ours.oid == theirs.oid || theirs.oid == base.oid {
      return TreeEntry(name: ours.name, mode: mode, oid: ours.oid, size: ours.size)
    }
    guard ours.oid == base.oid else { return nil }
    return TreeEntry(name: ours.name, mode: mode, oid: theirs.oid, size: theirs.size)
  }

  private static func kind(_ base: TreeEntry?, _ ours: TreeEntry?, _ theirs: TreeEntry?) -> MergeConflict.Kind {
    guard let ours else { return .removedByUs }
    guard let theirs else { return .removedByThem }
    let isFile = { (mode: EntryMode) in mode == .file || mode == .executable }
    if ours.mode != theirs.mode, !(isFile(ours.mode) && isFile(theirs.mode)) { return .type }
    return base == nil ? .bothAdded : .bothModified
  }
}
