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

  /// Whether an object is needed: a hint is, if the object is that it stands beside.
  func needs(_ key: ObjectKey) -> Bool {
    if !key.kind.isHint { return contains(key) }
    return [ObjectKind.treeNode, .chunkList, .chunkListNode].contains { contains(ObjectKey(kind: $0, id: key.id)) }
  }

  /// Kinds are told apart by their low bits.
  private static func mark(_ key: ObjectKey) -> UInt64 { key.id.prefix64 &* 8 &+ UInt64(key.kind.rawValue) }
}

/// Marks all that some roots need, in one store.
struct Marking {
  private let reader: StructureReader
  private(set) var live = LiveSet()
  /// Nodes and lists that could not be read: objects below them cannot be marked.
  private(set) var unreadable: [(key: ObjectKey, label: String, isCorrupt: Bool)] = []

  /// Nodes and lists to read, with the label of the root they were met under first.
  private var waiting: [(key: ObjectKey, label: Int)] = []
  private var labels: [String] = []
  private static let batchCount = 4096

  /// Files that do not count.
  private let exceptions: Set<ObjectID>

  /// - Parameters:
  ///   - stores: where nodes and lists are read, in this order.
  ///   - exceptions: contents of files for whose sake nothing is marked.
  init(stores: [ObjectStore], without exceptions: Set<ObjectID> = []) {
    reader = StructureReader(stores: stores)
    self.exceptions = exceptions
  }

  mutating func mark(_ roots: [TransferRoot]) async throws {
    for root in roots {
      labels.append(root.label)
      switch root.kind {
      case .file: markFile(root.oid, size: root.size, labels.count - 1)
      case .tree: enter(ObjectKey(kind: .treeNode, id: root.oid), labels.count - 1)
      }
    }
    while !waiting.isEmpty {
      // Those met last first: few wait then.
      let count = min(waiting.count, Self.batchCount)
      let batch = waiting.suffix(count).sorted { $0.key < $1.key }
      waiting.removeLast(count)
      try await open(batch)
    }
  }

  private mutating func enter(_ key: ObjectKey, _ label: Int) {
    if live.insert(key) { waiting.append((key, label)) }
  }

  private mutating func markFile(_ oid: ObjectID, size: UInt64, _ label: Int) {
    if exceptions.contains(oid) { return }
    // Both names are kept: which of them the store uses is not asked.
    _ = live.insert(ObjectKey(kind: .chunk, id: oid))
    if size > UInt64(ChunkLimits.standard.minimum) { enter(ObjectKey(kind: .chunkList, id: oid), label) }
  }

  private mutating func open(_ batch: [(key: ObjectKey, label: Int)]) async throws {
    let results = try await reader.read(ascending: batch.map(\.key))
    for (item, result) in zip(batch, results) {
      do throws(StoreError) {
        let bytes = try result.get()
        if item.key.kind == .treeNode {
          enter(try StructureReader.node(item.key, bytes), item.label)
        } else {
          enter(try list(item.key, bytes), item.label)
        }
      } catch {
        // A file of one chunk has no list.
        if error.code == .missing, item.key.kind == .chunkList { continue }
        unreadable.append((item.key, labels[item.label], error.code == .corrupt))
      }
    }
  }

  private mutating func enter(_ node: TreeNode, _ label: Int) {
    for item in node.items {
      switch item.mode {
      case nil, .directory?: enter(ObjectKey(kind: .treeNode, id: item.oid), label)
      default: markFile(item.oid, size: item.size, label)
      }
    }
  }

  private mutating func enter(_ node: ChunkListNode, _ label: Int) {
    switch node.entries {
    case .chunks(let chunks):
      for chunk in chunks { _ = live.insert(ObjectKey(kind: .chunk, id: chunk.id)) }
    case .nodes(let nodes):
      for child in nodes { enter(ObjectKey(kind: .chunkListNode, id: child.id), label) }
    }
  }

  private func list(_ key: ObjectKey, _ bytes: [UInt8]) throws(StoreError) -> ChunkListNode {
    do { return try ChunkListNode(decoding: bytes.span) } catch {
      throw StoreError(.corrupt, "The \(key) is damaged: \(error).", key: key, cause: error)
    }
  }
}
