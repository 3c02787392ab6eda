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

  /// All entries in order.
  var entries: [TreeEntry] { leaves.flatMap { $0.items.compactMap(\.entry) } }
}
