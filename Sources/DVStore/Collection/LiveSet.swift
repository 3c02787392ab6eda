import DVObject

/// The objects that must be kept, by a part of their names.
///
/// Holds 64 bits of each key: two objects that share them are both kept, which costs space once in 2^64 pairs and never
/// loses anything. Memory: some 20 bytes an object.
struct LiveSet: Sendable {
  fileprivate private(set) var marks: Set<UInt64> = []

  var count: Int { marks.count }

  mutating func insert(_ key: ObjectKey) -> Bool { marks.insert(Self.mark(key)).inserted }

  mutating func remove(_ key: ObjectKey) { if !marks.isEmpty { marks.remove(Self.mark(key)) } }

  func contains(_ key: ObjectKey) -> Bool { marks.contains(Self.mark(key)) }

  /// Whether an object is needed: a hint is, if the object is that it stands beside.
  func needs(_ key: ObjectKey) -> Bool {
    if !key.kind.isHint { return contains(key) }
    return [ObjectKind.treeNode, .chunkList, .chunkListNode].contains { contains(ObjectKey(kind: $0, id: key.id)) }
  }

  /// Kinds are told apart by their low bits.
  fileprivate static func mark(_ key: ObjectKey) -> UInt64 { key.id.prefix64 &* 8 &+ UInt64(key.kind.rawValue) }
}

/// What is needed and was not found yet, while an index is gone through.
///
/// A file is one chunk or has a list: one of the two is enough. Memory: some 20 bytes an object.
struct OpenNeeds: Sendable {
  private var marks: Set<UInt64>
  private let files: [FileMarks]

  /// The two names of a file.
  struct FileMarks: Sendable {
    let chunk: UInt64
    let list: UInt64
  }

  fileprivate init(_ live: LiveSet, _ files: [FileMarks], without optional: LiveSet) {
    marks = live.marks.subtracting(optional.marks)
    self.files = files
  }

  /// Takes note that an object is there.
  mutating func note(_ key: ObjectKey) { marks.remove(LiveSet.mark(key)) }

  /// Ends the search: from then on ``contains(_:)`` and ``count`` tell what is not there.
  mutating func finish() {
    for file in files where !marks.contains(file.chunk) || !marks.contains(file.list) {
      marks.remove(file.chunk)
      marks.remove(file.list)
    }
  }

  func contains(_ key: ObjectKey) -> Bool { marks.contains(LiveSet.mark(key)) }

  /// How many objects were not found; of a file that is not there both names count.
  var count: Int { marks.count }
}

/// Marks all that some roots need, in one store.
struct Marking {
  private let reader: StructureReader
  private(set) var live = LiveSet()
  /// Nodes and lists that could not be read: objects below them cannot be marked.
  private(set) var unreadable: [(key: ObjectKey, label: String, isCorrupt: Bool)] = []

  /// Nodes and lists to read, with the label of the root they were met under first.
  private var waiting: [Waiting] = []
  private var labels: [String] = []
  private static let batchCount = 4096

  /// Files that do not count.
  private let exceptions: Set<ObjectID>
  /// Files that are kept as far as they are there, and need not be.
  private let optional: Set<ObjectID>
  private var optionalMarks = LiveSet()
  private var files: [OpenNeeds.FileMarks] = []

  private struct Waiting {
    let key: ObjectKey
    let label: Int
    let isOptional: Bool
  }

  /// - Parameters:
  ///   - stores: where nodes and lists are read, in this order.
  ///   - exceptions: contents of files for whose sake nothing is marked.
  ///   - optional: contents of files that were erased. They are marked, as far as they are there still.
  init(stores: [ObjectStore], without exceptions: Set<ObjectID> = [], optional: Set<ObjectID> = []) {
    reader = StructureReader(stores: stores)
    self.exceptions = exceptions
    self.optional = optional
  }

  /// What must be there of all that was marked.
  var needs: OpenNeeds { OpenNeeds(live, files, without: optionalMarks) }

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

  private mutating func enter(_ key: ObjectKey, _ label: Int, isOptional: Bool = false) {
    let isNew = live.insert(key)
    note(key, isNew: isNew, isOptional: isOptional)
    if isNew { waiting.append(Waiting(key: key, label: label, isOptional: isOptional)) }
  }

  /// What is needed without reserve once need be there.
  private mutating func note(_ key: ObjectKey, isNew: Bool, isOptional: Bool) {
    if !isOptional { optionalMarks.remove(key) } else if isNew { _ = optionalMarks.insert(key) }
  }

  private mutating func markFile(_ oid: ObjectID, size: UInt64, _ label: Int) {
    if exceptions.contains(oid) { return }
    // Both names are kept: which of them the store uses is not asked.
    let (chunk, list) = (ObjectKey(kind: .chunk, id: oid), ObjectKey(kind: .chunkList, id: oid))
    let isOptional = size == 0 || optional.contains(oid)
    note(chunk, isNew: live.insert(chunk), isOptional: isOptional)
    guard size > UInt64(ChunkLimits.standard.minimum) else { return }
    if !isOptional, !live.contains(list) { files.append(OpenNeeds.FileMarks(chunk: LiveSet.mark(chunk), list: LiveSet.mark(list))) }
    enter(list, label, isOptional: isOptional)
  }

  private mutating func open(_ batch: [Waiting]) async throws {
    let results = try await reader.read(ascending: batch.map(\.key))
    for (item, result) in zip(batch, results) {
      do throws(StoreError) {
        let bytes = try result.get()
        if item.key.kind == .treeNode {
          enter(try StructureReader.node(item.key, bytes), item.label)
        } else {
          enter(try list(item.key, bytes), item.label, isOptional: item.isOptional)
        }
      } catch {
        // A file of one chunk has no list. Whether one of the two is there, the caller's look at the index tells.
        if error.code == .missing, item.key.kind == .chunkList || item.isOptional { continue }
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

  private mutating func enter(_ node: ChunkListNode, _ label: Int, isOptional: Bool) {
    switch node.entries {
    case .chunks(let chunks):
      for chunk in chunks {
        let key = ObjectKey(kind: .chunk, id: chunk.id)
        note(key, isNew: live.insert(key), isOptional: isOptional)
      }
    case .nodes(let nodes):
      for child in nodes { enter(ObjectKey(kind: .chunkListNode, id: child.id), label, isOptional: isOptional) }
    }
  }

  private func list(_ key: ObjectKey, _ bytes: [UInt8]) throws(StoreError) -> ChunkListNode {
    do { return try ChunkListNode(decoding: bytes.span) } catch {
      throw StoreError(.corrupt, "The \(key) is damaged: \(error).", key: key, cause: error)
    }
  }
}
