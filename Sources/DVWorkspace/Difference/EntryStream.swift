import DVObject

/// The entries of one directory in order, its nodes read as they are come to: a directory of any size takes the memory
/// of one node per level.
struct EntryStream {
  private let read: NodeReader
  /// The nodes from the root to the one being read, each with the item to go on with.
  private var path: [(node: TreeNode, next: Int)] = []

  /// Begins the directory whose root node is `oid`; `nil` is a directory without entries.
  ///
  /// - Throws: What `read` throws; ``ObjectFormatError`` for bytes that are no root.
  init(_ oid: ObjectID?, read: @escaping NodeReader) async throws {
    self.read = read
    if let oid { path = [(try TreeNode(decoding: try await read(oid), isRoot: true), 0)] }
  }

  /// Returns the next entry, or `nil` after the last.
  ///
  /// - Throws: What reading throws; ``ObjectFormatError`` for a node that is not what the one above says.
  mutating func next() async throws -> TreeEntry? {
    while let (node, index) = path.last {
      guard index < node.count else {
        path.removeLast()
        continue
      }
      path[path.count - 1].next += 1
      let item = node.items[index]
      if let entry = item.entry { return entry }
      let child = try TreeNode(decoding: try await read(item.oid))
      try child.check(as: item, ofLevel: node.level, after: index > 0 ? node.items[index - 1] : nil)
      path.append((child, 0))
    }
    return nil
  }
}
