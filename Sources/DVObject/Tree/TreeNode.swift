/// One node of a tree: entries of a directory or, for a large directory, the nodes that hold them.
///
/// A small directory is one node. Of a large one, each level-0 node holds a run of entries, each node above the nodes of the
/// level below, up to one root, whose SHA-256 is the tree's ID. Integers are big-endian:
///
///     offset  size  meaning
///          0    10  "dv-tree 1\n"
///         10     1  level: 0 holds entries, a level above holds nodes of the level below; at most 6
///         11     1  0
///         12     4  number of items n, 0 to 8192; 0 is an empty directory; a root above level 0 has at least 2
///         16     8  files below
///         24     8  bytes below
///         32        n items, in strictly ascending order of names
///
/// An item is an entry at level 0 and a node above:
///
///     offset  size  meaning
///          0     1  mode: 1 file, 2 executable, 3 symlink, 4 directory; 0 at a level above 0
///          1     1  length of the name, 1 to 255
///          2     8  bytes: of the file or the symlink's target, or of all files below
///         10     8  files: 1, or for a directory or node the files below
///         18    32  ID
///         50        name of the entry, or the last name in the node
///
/// A node of level L ends after an item, never before the 64th, whose name has a SHA-256 that begins with 10 * (L + 1) zero
/// bits, and always at the 8192nd: so one change touches one node per level. See `docs/format/tree.md`.
///
/// A node is checked once, when it is decoded. Its items are then read in place: no copy or allocation per item.
public struct TreeNode: Hashable, Sendable {
  /// The most items of a node.
  public static let maximumCount = 8192
  /// The highest level, enough for 2^40 names.
  public static let maximumLevel = 6
  /// The most bytes of a node.
  public static let maximumByteCount = headerLength + maximumCount * (itemHeaderLength + TreeName.maximumByteCount)

  static let magic = Array("dv-tree 1\n".utf8)
  static let headerLength = 32
  static let itemHeaderLength = 50

  /// The node as it is stored; its SHA-256 is the node's ID.
  public let encoded: [UInt8]
  /// How many levels of nodes lie below: 0 if the items are entries.
  public let level: Int
  /// The files and bytes below.
  public let totals: TreeTotals
  /// Where each item begins in ``encoded``.
  let offsets: [UInt32]

  init(encoded: [UInt8], level: Int, totals: TreeTotals, offsets: [UInt32]) {
    self.encoded = encoded
    self.level = level
    self.totals = totals
    self.offsets = offsets
  }

  /// How many items the node has.
  public var count: Int { offsets.count }

  /// The items in order: entries at level 0, nodes above.
  public var items: Items { Items(node: self) }

  /// Returns where the first item is whose name is `name` or comes after it; ``count`` if there is none.
  ///
  /// At level 0 this is where an entry of that name is or would be; above, the node that it is in if it is anywhere.
  ///
  /// - Complexity: O(log *n*).
  public func firstIndex(notBefore name: Span<UInt8>) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if encoded.span.extracting(nameRange(at: middle)).precedes(name) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Returns the item with that very name, or `nil`.
  ///
  /// - Complexity: O(log *n*).
  public func item(named name: TreeName) -> Item? {
    let index = firstIndex(notBefore: name.bytes.span)
    guard index < count else { return nil }
    let item = items[index]
    return item.name.elementsEqual(name.bytes) ? item : nil
  }

  /// Where in ``encoded`` the name of an item lies.
  func nameRange(at index: Int) -> Range<Int> {
    let start = Int(offsets[index]) + Self.itemHeaderLength
    return start..<start + Int(encoded[Int(offsets[index]) + 1])
  }
}
