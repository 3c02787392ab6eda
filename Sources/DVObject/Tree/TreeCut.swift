/// Where a tree's nodes end: by the names alone, so that equal directories have equal nodes, and a change in one place leaves
/// the others alone.
enum TreeCut {
  /// No node ends before it has this many items, unless its level does.
  static let minimumCount = 64
  /// How many more zero bits the hash of a name needs for each level.
  static let bitsPerLevel = 10

  /// Whether a node of `level` ends with the item `name`, its `count`th.
  static func ends(count: Int, name: Span<UInt8>, level: Int) -> Bool {
    if count == TreeNode.maximumCount { return true }
    return count >= minimumCount && ObjectID(hashing: name).leadingZeroBits >= bitsPerLevel * (level + 1)
  }
}
