extension TreeNode {
  /// The items of a node in order.
  public struct Items: RandomAccessCollection, Sendable {
    let node: TreeNode

    public var startIndex: Int { 0 }
    public var endIndex: Int { node.offsets.count }
    public subscript(index: Int) -> Item { Item(bytes: node.encoded, offset: Int(node.offsets[index])) }
  }

  /// One item of a node, read where it lies: an entry of the directory or, above level 0, a node of the level below.
  public struct Item: Sendable {
    /// The bytes of the whole node.
    let bytes: [UInt8]
    /// Where in them the item begins; all of it lies within, as checked when the node was decoded.
    let offset: Int

    /// What the entry is; `nil` for a node.
    public var mode: EntryMode? { EntryMode(rawValue: bytes[offset]) }
    /// Of an entry, its content (of a directory, the root of its tree); of a node, the node.
    public var oid: ObjectID { ObjectID(bytes.span, at: offset + 18) }
    /// How many bytes the entry, or everything below, has.
    public var size: UInt64 { bytes.span.bigEndian(UInt64.self, at: offset + 2) }
    /// How many files the item stands for.
    public var files: UInt64 { bytes.span.bigEndian(UInt64.self, at: offset + 10) }
    public var totals: TreeTotals { TreeTotals(files: files, bytes: size) }

    /// The entry's name, or the last name in the node, as a view of the node's bytes.
    public var name: ArraySlice<UInt8> {
      let start = offset + TreeNode.itemHeaderLength
      return bytes[start..<start + Int(bytes[offset + 1])]
    }

    /// The item as a value of its own, or `nil` if it is a node.
    ///
    /// - Complexity: Copies the name.
    public var entry: TreeEntry? {
      guard let mode else { return nil }
      return TreeEntry(name: TreeName(checked: name), mode: mode, oid: oid, size: size, files: files)
    }
  }
}
