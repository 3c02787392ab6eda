/// Where a tree's nodes end: by the names alone, so that equal directories have equal nodes, and a change in one place leaves
/// the others alone.
struct TreeCut: Sendable {
  /// No node ends before it has this many items, unless its level does.
  let minimumCount: Int
  /// How many more zero bits the hash of a name needs for each level.
  let bitsPerLevel: Int

  /// The rule of the format. Tests build high trees of few names with other numbers.
  static let standard = TreeCut(minimumCount: 64, bitsPerLevel: 10)

  /// Whether a node of `level` ends with the item `name`, its `count`th.
  func ends(count: Int, name: Span<UInt8>, level: Int) -> Bool {
    if count == TreeNode.maximumCount { return true }
    return count >= minimumCount && ObjectID(hashing: name).leadingZeroBits >= bitsPerLevel * (level + 1)
  }
}
