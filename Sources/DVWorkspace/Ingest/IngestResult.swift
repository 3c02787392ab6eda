public import DVObject

/// A version that was made from what is on disk.
public struct IngestResult: Sendable {
  /// The new pointer, without a run; `nil` if the content of some file is not known, which happens only after a partial
  /// ingest without a writer.
  public internal(set) var pointer: Pointer?
  /// What is on disk, with all oids.
  public let state: TreeState
  /// What to keep for the next time.
  public let cache: StatCache
  /// How many files and links were read.
  public let filesRead: Int
  /// How many bytes they have.
  public let bytesRead: UInt64
  /// The tree nodes that were made and, without a writer, not stored.
  let nodes: [ObjectID: [UInt8]]
  /// For entries whose content or mode differs from what was saved under their name, what was saved.
  let bases: [Int: SavedContent]

  init(work: IngestWork, built: UnstoredTrees, rules: ObjectID, saved: ObjectID?) {
    state = work.state
    pointer = work.state.pointer
    // The nodes of the saved version can be read from the store; others must be made again when they are asked for.
    let unstored = work.state.oid == saved ? [] : built.directories
    cache = StatCache(state: work.state.restoringSaved(work.bases, without: unstored), saved: saved, rules: rules)
    filesRead = work.filesRead
    bytesRead = work.bytesRead
    nodes = built.nodes
    bases = work.bases
  }
}

/// Trees that were built and not stored.
struct UnstoredTrees {
  /// The numbers of their directories.
  var directories: [Int] = []
  var nodes: [ObjectID: [UInt8]] = [:]
}

extension IngestResult {
  /// Returns a reader that also knows the nodes of this version that were not stored.
  public func reader(over read: @escaping NodeReader) -> NodeReader {
    let nodes = nodes
    return { id in
      if let bytes = nodes[id] { return bytes }
      return try await read(id)
    }
  }
}

extension IngestResult {
  /// Returns what is at `path`, relative to the target; `nil` if nothing is.
  ///
  /// - Throws: ``WorkspaceError`` if its content is not known.
  public func item(at path: TreePath) throws(WorkspaceError) -> TreeEditor.Item? { try state.item(at: path) }
}

/// What was last added or checked out under a name.
struct SavedContent: Hashable, Sendable {
  let oid: ObjectID
  /// An ``EntryMode``, raw.
  let mode: UInt8
}

extension TreeState {
  /// The pointer to this state, if all of it is known.
  var pointer: Pointer? {
    if let root = directories.first {
      guard root.isHashed else { return nil }
      return Pointer(tree: root.oid, totals: TreeTotals(files: root.files, bytes: root.bytes))
    }
    guard let file = entries.first, file.flags.contains(.hashed) else { return nil }
    return Pointer(file: file.oid, size: file.size, executable: file.mode == EntryMode.executable.rawValue)
  }

  /// Returns the state as the cache keeps it: of what the user changed it keeps what was saved there, so that the change
  /// is still known as one next time. Such a file is hashed again then.
  ///
  /// - Parameter unstored: Directories whose trees no store has: without their oid they are built again next time, so
  ///   that their nodes can be read.
  func restoringSaved(_ bases: [Int: SavedContent], without unstored: [Int] = []) -> TreeState {
    guard !bases.isEmpty || !unstored.isEmpty else { return self }
    var copy = self
    for (index, base) in bases {
      copy.entries[index].oid = base.oid
      copy.entries[index].savedMode = base.mode
      copy.entries[index].flags = .saved
    }
    // The oid of a directory is that of the changed content: it must not vouch for the entries any more.
    var touched: Set<Int> = []
    for number in copy.directories.indices
    where copy.directories[number].entries.contains(where: { bases[$0] != nil }) {
      var current = number
      while touched.insert(current).inserted && current > 0 { current = Int(copy.directories[current].parent) }
    }
    touched.formUnion(unstored)
    for number in touched { copy.directories[number].hashed = 0 }
    return copy
  }
}
