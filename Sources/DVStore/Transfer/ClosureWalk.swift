import DVObject

/// Finds what a destination lacks of the objects under some roots.
///
/// Nodes and lists are few and small: the walk stores them at the destination as it meets them. Chunks it hands on in
/// batches. A subtree that equals one of a base tree, which the destination is known to have whole, is not entered: the
/// cost is that of what changed.
struct ClosureWalk {
  /// A chunk that the destination lacks.
  struct Chunk: Hashable, Sendable {
    let id: ObjectID
    let length: Int
  }

  private let reader: StructureReader
  private let writer: ObjectWriter
  private let handOn: ([Chunk]) async throws -> Void
  private var batch: [Chunk] = []
  /// Files and nodes met before: a dataset often holds one file many times.
  private var met: Set<ObjectID> = []
  private(set) var skipped = 0
  private(set) var failures: [TransferFailure] = []

  /// Chunks handed on at a time: 12 MiB of memory.
  private static let batchCount = 1 << 18

  init(reader: StructureReader, writer: ObjectWriter, handOn: @escaping ([Chunk]) async throws -> Void) {
    self.reader = reader
    self.writer = writer
    self.handOn = handOn
  }

  /// Walks one root.
  ///
  /// - Parameter base: the tree that the destination has whole and the first reader can read.
  mutating func walk(_ root: TransferRoot, base: ObjectID?) async throws {
    switch root.kind {
    case .file: try await walkFile(root.oid, size: root.size, path: [], root: root)
    case .tree: try await walkTree(root.oid, base: base, inside: root.inside[...], path: [], root: root)
    }
  }

  /// Hands on what is left.
  mutating func finish() async throws {
    if !batch.isEmpty { try await handOn(batch) }
    batch = []
  }

  // MARK: Trees

  private mutating func walkTree(
    _ oid: ObjectID, base: ObjectID?, inside: ArraySlice<TreeName>, path: [ArraySlice<UInt8>], root: TransferRoot
  ) async throws {
    if oid == base { return }
    if inside.isEmpty, !met.insert(oid).inserted { return }
    var entries: [TreeNode.Item] = []
    var baseEntries: [ArraySlice<UInt8>: TreeNode.Item] = [:]
    try await differences(oid, base: base, inside: inside.first, path: path, root: root, &entries, &baseEntries)
    for entry in entries {
      if let wanted = inside.first, !entry.name.elementsEqual(wanted.bytes) { continue }
      let old = baseEntries[entry.name]
      if let old, old.oid == entry.oid, old.mode == entry.mode, old.size == entry.size { continue }
      let below = path + [entry.name]
      if entry.mode == .directory {
        let oldTree = old?.mode == .directory ? old?.oid : nil
        try await walkTree(entry.oid, base: oldTree, inside: inside.dropFirst(), path: below, root: root)
      } else if inside.count <= 1 {
        try await walkFile(entry.oid, size: entry.size, path: below, root: root)
      }
    }
  }

  /// Collects the entries of a directory that may differ from its base, storing the nodes that are new.
  private mutating func differences(
    _ oid: ObjectID, base: ObjectID?, inside: TreeName?, path: [ArraySlice<UInt8>], root: TransferRoot,
    _ entries: inout [TreeNode.Item], _ baseEntries: inout [ArraySlice<UInt8>: TreeNode.Item]
  ) async throws {
    // Nodes of both trees, level by level: what both have is struck out.
    var fresh = [oid]
    var old = base.map { [$0] } ?? []
    while !fresh.isEmpty {
      let shared = Set(old)
      let unchanged = Set(fresh)
      fresh.removeAll { shared.contains($0) }
      old.removeAll { unchanged.contains($0) }
      var freshBelow: [ObjectID] = []
      var oldBelow: [ObjectID] = []
      for id in fresh {
        guard let node = try await copyNode(id, path: path, root: root) else { continue }
        if node.level == 0 {
          entries += node.items
        } else if let inside {
          // Only the node that may hold the name: the first whose last name is not before it.
          let index = node.firstIndex(notBefore: inside.bytes.span)
          if index < node.count { freshBelow.append(node.items[index].oid) }
        } else {
          freshBelow += node.items.map(\.oid)
        }
      }
      for id in old {
        // A base that cannot be read saves nothing, and costs nothing else.
        guard let node = try? await reader.node(id) else { continue }
        if node.level == 0 {
          for item in node.items { baseEntries[item.name] = item }
        } else {
          oldBelow += node.items.map(\.oid)
        }
      }
      fresh = freshBelow
      old = oldBelow
    }
  }

  /// Reads a node and stores it at the destination.
  private mutating func copyNode(
    _ id: ObjectID, path: [ArraySlice<UInt8>], root: TransferRoot
  ) async throws -> TreeNode? {
    let key = ObjectKey(kind: .treeNode, id: id)
    do throws(StoreError) {
      let node = try await reader.node(id)
      if try await !writer.store(node.encoded, as: key) { skipped += 1 }
      return node
    } catch {
      try note(error, key: key, path: path, root: root)
      return nil
    }
  }

  // MARK: Files

  private mutating func walkFile(
    _ oid: ObjectID, size: UInt64, path: [ArraySlice<UInt8>], root: TransferRoot
  ) async throws {
    guard size > 0, met.insert(oid).inserted else { return }
    let chunk = ObjectKey(kind: .chunk, id: oid)
    if size <= UInt64(ObjectKind.chunk.byteLimit), try await reader.holds(chunk) {
      try await want(Chunk(id: oid, length: Int(size)))
      return
    }
    let key = ObjectKey(kind: .chunkList, id: oid)
    if size <= UInt64(ChunkLimits.standard.minimum), try await !reader.holds(key) {
      let error = StoreError(.missing, "The \(chunk) is in none of the places looked at.", key: chunk)
      return try note(error, key: chunk, path: path, root: root)
    }
    try await walkList(key, at: .root(bytes: size), path: path, root: root)
  }

  private mutating func walkList(
    _ key: ObjectKey, at place: ChunkListNode.Place, path: [ArraySlice<UInt8>], root: TransferRoot
  ) async throws {
    let node: ChunkListNode
    do throws(StoreError) {
      let bytes: [UInt8]
      (node, bytes) = try await reader.listNode(key, at: place)
      if try await !writer.store(bytes, as: key) { skipped += 1 }
    } catch {
      return try note(error, key: key, path: path, root: root)
    }
    switch node.entries {
    case .chunks(let chunks):
      for chunk in chunks { try await want(Chunk(id: chunk.id, length: chunk.length)) }
    case .nodes(let nodes):
      for (index, child) in nodes.enumerated() {
        let key = ObjectKey(kind: .chunkListNode, id: child.id)
        try await walkList(key, at: node.place(ofNode: index, in: place), path: path, root: root)
      }
    }
  }

  private mutating func want(_ chunk: Chunk) async throws {
    guard try await writer.claim(ObjectKey(kind: .chunk, id: chunk.id)) else {
      skipped += 1
      return
    }
    batch.append(chunk)
    if batch.count >= Self.batchCount {
      try await handOn(batch)
      batch.removeAll(keepingCapacity: true)
    }
  }

  /// Keeps a failure that concerns one object; throws one that concerns the whole transfer.
  private mutating func note(
    _ error: StoreError, key: ObjectKey, path: [ArraySlice<UInt8>], root: TransferRoot
  ) throws {
    guard error.code == .corrupt || error.code == .missing else { throw error }
    let names = [root.label] + path.map { String(decoding: $0, as: UTF8.self) }
    failures.append(
      TransferFailure(
        key: key, isCorrupt: error.code == .corrupt, message: error.message, affects: [names.joined(separator: "/")]))
  }
}

extension StructureReader {
  /// Whether one of the stores has the object, by its index.
  func holds(_ key: ObjectKey) async throws(StoreError) -> Bool {
    for store in stores {
      if try await store.contains(key) { return true }
    }
    return false
  }
}
