public import DVObject

/// Makes a tree that differs from another in one place.
///
/// Only the directories on the way to that place are read and built anew.
public struct TreeEditor {
  /// What stands under a name.
  public struct Item: Hashable, Sendable {
    public let mode: EntryMode
    public let oid: ObjectID
    public let totals: TreeTotals

    public init(mode: EntryMode, oid: ObjectID, totals: TreeTotals) {
      self.mode = mode
      self.oid = oid
      self.totals = totals
    }

    /// What an entry of a tree is.
    public init(_ entry: TreeEntry) { self.init(mode: entry.mode, oid: entry.oid, totals: entry.totals) }
  }

  /// Reads a node.
  let read: NodeReader
  /// Takes each new node.
  let emit: @Sendable (ObjectID, [UInt8]) async throws -> Void

  public init(read: @escaping NodeReader, emit: @escaping @Sendable (ObjectID, [UInt8]) async throws -> Void) {
    self.read = read
    self.emit = emit
  }

  /// Returns the tree `root` with `item` at `path`, or without anything there if `item` is `nil`.
  ///
  /// Directories that lack on the way are made; what stands in the way of one is replaced. Removing never leaves out the
  /// directories above, even when they are empty then.
  public func replacing(
    _ path: TreePath, in root: ObjectID, with item: Item?
  ) async throws -> (oid: ObjectID, totals: TreeTotals) {
    // Downwards: the entries of each directory on the way.
    let names = path.names
    var levels: [[TreeEntry]] = []
    var current: ObjectID? = root
    for name in names {
      let entries = if let current { try await DirectoryNodes.read(current, with: read).entries } else { [TreeEntry]() }
      levels.append(entries)
      let found = entries.first { $0.name.bytes == name }
      current = found?.mode == .directory ? found?.oid : nil
      if current == nil && item == nil && levels.count < names.count {
        // Nothing is there to be removed.
        let whole = try TreeNode(decoding: try await read(root), isRoot: true)
        return (root, whole.totals)
      }
    }
    // Upwards: each with the new item.
    var replacement = item
    for (name, entries) in zip(names, levels).reversed() {
      let (oid, totals) = try await build(entries, putting: replacement, at: try TreeName(name))
      replacement = Item(mode: .directory, oid: oid, totals: totals)
    }
    guard let replacement else { return (root, TreeTotals()) }
    return (replacement.oid, replacement.totals)
  }

  private func build(
    _ entries: [TreeEntry], putting item: Item?, at name: TreeName
  ) async throws -> (oid: ObjectID, totals: TreeTotals) {
    var nodes: [(ObjectID, [UInt8])] = []
    func keep(_ id: ObjectID, _ bytes: [UInt8]) { nodes.append((id, bytes)) }
    var changed = entries.filter { $0.name != name }
    if let item {
      let entry = TreeEntry(
        name: name, mode: item.mode, oid: item.oid, size: item.totals.bytes, files: item.totals.files)
      changed.insert(entry, at: changed.firstIndex { name < $0.name } ?? changed.count)
    }
    var builder = TreeBuilder()
    for entry in changed { try builder.append(entry, emit: keep) }
    let root = try builder.finish(emit: keep)
    for (id, bytes) in nodes { try await emit(id, bytes) }
    return root
  }
}
