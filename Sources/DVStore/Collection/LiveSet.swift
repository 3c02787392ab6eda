import DVObject

/// The objects that must be kept, by a part of their names.
///
/// Holds 64 bits of each key: two objects that share them are both kept, which costs space once in 2^64 pairs and never
/// loses anything. Memory: some 20 bytes an object.
struct LiveSet: Sendable {
  private var marks: Set<UInt64> = []

  var count: Int { marks.count }

  mutating func insert(_ key: ObjectKey) -> Bool { marks.insert(Self.mark(key)).inserted }

  func contains(_ key: ObjectKey) -> Bool { marks.contains(Self.mark(key)) }

  /// Kinds are told apart by their low bits.
  private static func mark(_ key: ObjectKey) -> UInt64 { key.id.prefix64 &* 8 &+ UInt64(key.kind.rawValue) }
}

/// Marks all that some roots need, in one store.
struct Marking {
  private let reader: StructureReader
  private(set) var live = LiveSet()
  /// Structure that should be there and is not: objects below it cannot be marked.
  private(set) var unreadable: [(key: ObjectKey, label: String)] = []

  init(store: ObjectStore) { reader = StructureReader(stores: [store]) }

  mutating func mark(_ root: TransferRoot) async throws(StoreError) {
    switch root.kind {
    case .file: try await markFile(root.oid, size: root.size, root)
    case .tree: try await markTree(root.oid, root)
    }
  }

  private mutating func markTree(_ oid: ObjectID, _ root: TransferRoot) async throws(StoreError) {
    let key = ObjectKey(kind: .treeNode, id: oid)
    guard live.insert(key) else { return }
    guard let node = try await readable(key, root, { reader throws(StoreError) in try await reader.node(oid) }) else { return }
    for item in node.items {
      switch item.mode {
      case nil, .directory?: try await markTree(item.oid, root)
      default: try await markFile(item.oid, size: item.size, root)
      }
    }
  }

  private mutating func markFile(_ oid: ObjectID, size: UInt64, _ root: TransferRoot) async throws(StoreError) {
    // Both names are kept: which of them the store uses is not asked.
    _ = live.insert(ObjectKey(kind: .chunk, id: oid))
    let key = ObjectKey(kind: .chunkList, id: oid)
    guard size > UInt64(ChunkLimits.standard.minimum), live.insert(key), try await reader.holds(key) else { return }
    try await markList(key, root)
  }

  private mutating func markList(_ key: ObjectKey, _ root: TransferRoot) async throws(StoreError) {
    let node = try await readable(key, root) { reader throws(StoreError) in
      let bytes = try await reader.read(key)
      do { return try ChunkListNode(decoding: bytes.span) } catch {
        throw StoreError(.corrupt, "The \(key) is damaged: \(error).", key: key, cause: error)
      }
    }
    switch node?.entries {
    case nil: return
    case .chunks(let chunks)?:
      for chunk in chunks { _ = live.insert(ObjectKey(kind: .chunk, id: chunk.id)) }
    case .nodes(let nodes)?:
      for child in nodes {
        let key = ObjectKey(kind: .chunkListNode, id: child.id)
        if live.insert(key) { try await markList(key, root) }
      }
    }
  }

  /// Reads, keeping damage and absence as findings.
  private mutating func readable<Value>(
    _ key: ObjectKey, _ root: TransferRoot, _ read: (StructureReader) async throws(StoreError) -> Value
  ) async throws(StoreError) -> Value? {
    do { return try await read(reader) } catch {
      guard error.code == .corrupt || error.code == .missing else { throw error }
      unreadable.append((key, root.label))
      return nil
    }
  }
}
