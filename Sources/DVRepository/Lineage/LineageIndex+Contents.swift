import DVObject
import DVSQLite
import DVStore
import DVWorkspace

extension LineageIndex {
  /// Takes over what the trees of all data versions hold, so that a file's hash leads to the directories it is in.
  ///
  /// Nodes that versions share are read once. Of each file 8 bytes of its oid are kept; a hit is proved by the node itself.
  ///
  /// - Returns: how many trees could not be searched because nodes of them are not here.
  func updateContents(_ read: NodeReader) async throws -> Int {
    var roots: Set<ObjectID> = []
    try database.rows(
      "SELECT oid FROM versions WHERE kind = 'tree' UNION SELECT oid FROM uses WHERE mode = 'tree'"
    ) { row in
      if let id = try? ObjectID(bytes: row.blob(0).span) { roots.insert(id) }
    }
    var absent = 0
    var batch: [PendingNode] = []
    var names: Set<ObjectID> = []
    var count = 0
    for root in roots.sorted() {
      if try treeNumber(root) != nil || names.contains(root) { continue }
      do {
        let found = try await newNodes(below: root, besides: names, read)
        batch += found
        names.formUnion(found.map(\.id))
        count += found.reduce(0) { $0 + $1.files.count }
      } catch let error as StoreError where error.code == .missing || error.code == .absent || error.code == .corrupt {
        absent += 1
        continue
      }
      if count >= Self.batchCount {
        try add(batch)
        (batch, names, count) = ([], [], 0)
      }
    }
    try add(batch)
    return absent
  }

  /// Files of nodes that are gathered before they are written: 16 bytes each.
  private static let batchCount = 4 << 20

  /// A node that is to be added.
  private struct PendingNode {
    let id: ObjectID
    let level: Int
    /// The beginnings of the oids of files.
    var files: [Int64] = []
    var children: [ObjectID] = []
  }

  private func newNodes(below root: ObjectID, besides known: Set<ObjectID>, _ read: NodeReader) async throws -> [PendingNode] {
    var nodes: [PendingNode] = []
    var seen: Set<ObjectID> = []
    func visit(_ id: ObjectID, depth: Int) async throws {
      guard depth < 4096, !known.contains(id), seen.insert(id).inserted, try treeNumber(id) == nil else { return }
      try Task.checkCancellation()
      let node = try TreeNode(decoding: try await read(id))
      var pending = PendingNode(id: id, level: node.level)
      for item in node.items {
        if item.mode == nil || item.mode == .directory {
          pending.children.append(item.oid)
        } else {
          pending.files.append(Int64(bitPattern: item.oid.prefix64))
        }
      }
      for child in pending.children { try await visit(child, depth: depth + 1) }
      nodes.append(pending)
    }
    try await visit(root, depth: 0)
    return nodes
  }

  private func treeNumber(_ id: ObjectID) throws -> Int64? {
    try database.first("SELECT n FROM trees WHERE id = ?", .blob(id.bytes)) { $0.integer(0) }
  }

  /// Adds nodes with all below them: children come before their parents, roots after all. A tree that is there is there whole.
  ///
  /// What nodes hold is written in the order of the table: many times faster than each node's by itself.
  private func add(_ nodes: [PendingNode]) throws {
    guard !nodes.isEmpty else { return }
    try database.transaction {
      var contents: [(Int64, Int64)] = []
      for node in nodes {
        try database.run("INSERT OR IGNORE INTO trees(id, level) VALUES(?, ?)", .blob(node.id.bytes), .integer(Int64(node.level)))
        guard let n = try treeNumber(node.id) else { continue }
        for file in node.files { contents.append((file, n)) }
        for child in node.children {
          guard let c = try treeNumber(child) else { continue }
          try database.run("INSERT OR IGNORE INTO branches VALUES(?, ?)", .integer(c), .integer(n))
        }
      }
      contents.sort { $0.0 != $1.0 ? $0.0 < $1.0 : $0.1 < $1.1 }
      try database.run("INSERT OR IGNORE INTO contents VALUES(?, ?)", pairs: contents)
    }
  }

  /// Returns the trees, of whole directories and of parts, that hold a file or are above a tree.
  ///
  /// Several names of one file in a tree are one answer. Roots of targets and directories in them are not told apart.
  func trees(holding oid: ObjectID) throws -> Set<ObjectID> {
    var waiting = try database.all(
      "SELECT tree FROM contents WHERE prefix = ?", .integer(Int64(bitPattern: oid.prefix64))) { $0.integer(0) }
    if let n = try treeNumber(oid) { waiting.append(n) }
    var seen = Set(waiting)
    while let next = waiting.popLast() {
      let parents = try database.all("SELECT parent FROM branches WHERE child = ?", .integer(next)) { $0.integer(0) }
      for parent in parents where seen.insert(parent).inserted { waiting.append(parent) }
    }
    var found: Set<ObjectID> = []
    for n in seen {
      if let id = try database.first("SELECT id FROM trees WHERE n = ?", .integer(n), body: { $0.blob(0) }),
        let oid = try? ObjectID(bytes: id.span)
      {
        found.insert(oid)
      }
    }
    return found.subtracting([oid])
  }
}
