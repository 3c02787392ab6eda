/// Builds the tree of one directory from its entries, which come in the order of their names.
///
/// Finished nodes are passed on at once, children before parents: a directory of any size takes the memory of one open node
/// per level.
public struct TreeBuilder: Sendable {
  /// One level of the tree: the node that is open, and what is known of those before it.
  private struct Level: Sendable {
    /// The encoded items of the open node.
    var items: [UInt8] = []
    var count = 0
    var totals = TreeTotals()
    /// How many nodes of this level were passed on, and the ID of the last.
    var emitted = 0
    var lastID: ObjectID?
  }

  private var levels: [Level] = [Level()]
  /// The last name added: the last of every open node.
  private var lastName: [UInt8] = []
  /// The files and bytes of all entries so far.
  public private(set) var totals = TreeTotals()
  /// How many entries the directory has so far.
  public private(set) var count = 0

  private let cut: TreeCut

  public init() {
    self.init(cut: .standard)
  }

  init(cut: TreeCut) {
    self.cut = cut
  }

  /// Adds the directory's next entry.
  ///
  /// - Parameter emit: Takes each node that is finished: its ID and its bytes.
  /// - Throws: ``ObjectFormatError`` with code `.order` if the name does not come after the last one, `.overflow` if the
  ///   totals do not fit 64 bits; and what `emit` throws. The builder MUST NOT be used after that.
  public mutating func append(_ entry: TreeEntry, emit: (ObjectID, [UInt8]) throws -> Void) throws {
    guard count == 0 || lastName.span.precedes(entry.name.bytes.span) else {
      throw ObjectFormatError(
        .order, "'\(entry.name)' does not come after '\(lastName.span.text)' in the order of a tree.")
    }
    try totals.add(entry.totals)
    count += 1
    lastName = entry.name.bytes
    try add(mode: entry.mode.rawValue, oid: entry.oid, totals: entry.totals, toLevel: 0, emit)
  }

  /// Ends the directory, passes on the nodes still open, and returns the ID of the root and the totals.
  ///
  /// - Throws: What `emit` throws.
  public consuming func finish(
    emit: (ObjectID, [UInt8]) throws -> Void
  ) throws -> (oid: ObjectID, totals: TreeTotals) {
    var level = 0
    while true {
      // An empty directory is a node too; elsewhere a level may have ended just before.
      if levels[level].count > 0 || count == 0 { try close(level, emit) }
      // The only node of its level is the root. It has been entered in a level above, which is thereby not needed.
      if levels[level].emitted == 1, let root = levels[level].lastID { return (root, totals) }
      level += 1
    }
  }

  private mutating func add(
    mode: UInt8, oid: ObjectID, totals: TreeTotals, toLevel level: Int, _ emit: (ObjectID, [UInt8]) throws -> Void
  ) throws {
    levels[level].items.append(mode)
    levels[level].items.append(UInt8(lastName.count))
    levels[level].items.append(bigEndian: totals.bytes)
    levels[level].items.append(bigEndian: totals.files)
    oid.append(to: &levels[level].items)
    levels[level].items += lastName
    levels[level].count += 1
    try levels[level].totals.add(totals)
    if cut.ends(count: levels[level].count, name: lastName.span, level: level) { try close(level, emit) }
  }

  /// Passes on the open node of `level` and enters it in the level above.
  private mutating func close(_ level: Int, _ emit: (ObjectID, [UInt8]) throws -> Void) throws {
    guard level <= TreeNode.maximumLevel else {
      throw ObjectFormatError(.tooLarge, "A directory has more names than a tree can hold.")
    }
    let node = levels[level]
    var bytes: [UInt8] = []
    bytes.reserveCapacity(TreeNode.headerLength + node.items.count)
    bytes += TreeNode.magic
    bytes.append(UInt8(level))
    bytes.append(0)
    bytes.append(bigEndian: UInt32(node.count))
    bytes.append(bigEndian: node.totals.files)
    bytes.append(bigEndian: node.totals.bytes)
    bytes += node.items
    let id = ObjectID(hashing: bytes.span)
    try emit(id, bytes)
    levels[level] = Level(emitted: node.emitted + 1, lastID: id)
    if level + 1 == levels.count { levels.append(Level()) }
    // 0: not an entry but a node.
    try add(mode: 0, oid: id, totals: node.totals, toLevel: level + 1, emit)
  }
}
