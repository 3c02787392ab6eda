public import DVObject

/// Returns the bytes of a tree node, whose hash was checked.
public typealias NodeReader = @Sendable (ObjectID) async throws -> [UInt8]

/// The entries of one directory of a tree, read from its nodes.
struct DirectoryNodes: Sendable {
  /// The nodes that hold entries, in order.
  let leaves: [TreeNode]

  /// Reads the directory whose root node is `oid`.
  ///
  /// - Throws: What `read` throws; ``ObjectFormatError`` for a node that is not what the one above says.
  static func read(_ oid: ObjectID, with read: NodeReader) async throws -> DirectoryNodes {
    let root = try TreeNode(decoding: try await read(oid), isRoot: true)
    var level = [root]
    while let first = level.first, first.level > 0 {
      var below: [TreeNode] = []
      for node in level {
        var previous: TreeNode.Item?
        for item in node.items {
          let child = try TreeNode(decoding: try await read(item.oid))
          try child.check(as: item, ofLevel: node.level, after: previous)
          previous = item
          below.append(child)
        }
      }
      level = below
    }
    return DirectoryNodes(leaves: level)
  }

  /// Reads the one leaf of the directory `oid` that may hold `name`: of a large directory the other nodes need not be there.
  ///
  /// - Throws: as ``read(_:with:)``.
  static func read(_ oid: ObjectID, mayHold name: [UInt8], with read: NodeReader) async throws -> DirectoryNodes {
    var node = try TreeNode(decoding: try await read(oid), isRoot: true)
    while node.level > 0 {
      let index = node.firstIndex(notBefore: name.span)
      guard index < node.count else { return DirectoryNodes(leaves: []) }
      let item = node.items[index]
      let child = try TreeNode(decoding: try await read(item.oid))
      try child.check(as: item, ofLevel: node.level, after: index > 0 ? node.items[index - 1] : nil)
      node = child
    }
    return DirectoryNodes(leaves: [node])
  }

  /// All entries in order.
  var entries: [TreeEntry] { leaves.flatMap { $0.items.compactMap(\.entry) } }
}
