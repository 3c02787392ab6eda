public import DVObject

/// Looks into a tree without a working tree.
public struct TreeBrowser: Sendable {
  private let read: NodeReader

  /// - Parameter read: Reads tree nodes.
  public init(read: @escaping NodeReader) { self.read = read }

  /// Returns what stands at `path`, which is not the root, in the tree `root`; `nil` if nothing does.
  ///
  /// - Throws: ``WorkspaceError`` if a node on the way is missing or damaged.
  /// - Complexity: one node per level of each directory on the way.
  public func entry(at path: TreePath, in root: ObjectID) async throws(WorkspaceError) -> TreeEntry? {
    do {
      var current = root
      var found: TreeEntry?
      for name in path.names {
        if let found, found.mode != .directory { return nil }
        guard let name = try? TreeName(name), let entry = try await entry(named: name, in: current) else { return nil }
        current = entry.oid
        found = entry
      }
      return found
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }

  private func entry(named name: TreeName, in directory: ObjectID) async throws -> TreeEntry? {
    var node = try TreeNode(decoding: try await read(directory), isRoot: true)
    while node.level > 0 {
      let index = node.firstIndex(notBefore: name.bytes.span)
      guard index < node.count else { return nil }
      let item = node.items[index]
      let child = try TreeNode(decoding: try await read(item.oid))
      try child.check(as: item, ofLevel: node.level, after: index > 0 ? node.items[index - 1] : nil)
      node = child
    }
    return node.item(named: name)?.entry
  }

  /// Calls `body` with each entry of the directory `root` in the order of the tree, and of the directories below it if
  /// `enter` says so. A directory comes before what is in it.
  ///
  /// - Parameter path: What paths begin with.
  /// - Complexity: holds the nodes from the root to one entry.
  public func forEachEntry(
    of root: ObjectID, at path: TreePath = .root, entering enter: (TreePath, TreeEntry) -> Bool = { _, _ in false },
    _ body: (TreePath, TreeEntry) throws -> Void
  ) async throws(WorkspaceError) {
    do { try await visit(root, at: path, depth: 0, enter, body) } catch { throw WorkspaceError(wrapping: error) }
  }

  private func visit(
    _ directory: ObjectID, at path: TreePath, depth: Int, _ enter: (TreePath, TreeEntry) -> Bool,
    _ body: (TreePath, TreeEntry) throws -> Void
  ) async throws {
    guard depth <= TreeScan.maximumDepth else {
      throw WorkspaceError(.corrupt, "A tree is deeper than \(TreeScan.maximumDepth) directories.")
    }
    var stream = try await EntryStream(directory, read: read)
    while let entry = try await stream.next() {
      let inner = path.appending(entry.name.bytes)
      try body(inner, entry)
      if entry.mode == .directory, enter(inner, entry) {
        try await visit(entry.oid, at: inner, depth: depth + 1, enter, body)
      }
    }
  }
}
