import DVObject

/// Finds which roots a store does not have whole, by its index.
///
/// Goes through all the nodes and lists below a root, and asks for chunks in sorted batches: a hundred thousand files take a
/// tenth of a second or two. Reads no content.
public struct Completeness {
  private let store: ObjectStore
  private let reader: StructureReader
  /// Whether nodes and lists are read from another store than the one that is asked about.
  private let isHelped: Bool
  /// Trees and lists found whole.
  private var met: Set<ObjectKey> = []

  /// - Parameter helper: a store to read nodes and lists from, as far as it has them: a local one beside a remote.
  public init(of store: ObjectStore, readingFrom helper: ObjectStore? = nil) {
    self.store = store
    reader = StructureReader(stores: [helper, store].compactMap(\.self))
    isHelped = helper != nil
  }

  /// Whether the store has everything that `root` needs, as far as its index knows.
  ///
  /// - Throws: ``StoreError`` if the index cannot be read. A damaged node is a lack.
  public mutating func has(_ root: TransferRoot) async throws -> Bool {
    var search = Search(reader: reader, isHelped: isHelped, met: met, erased: store.erased)
    switch root.kind {
    case .file: search.add(root.oid, size: root.size)
    case .tree: search.trees = [Search.Tree(oid: root.oid, inside: root.inside[...])]
    }
    guard try await search.run(store) else { return false }
    met = search.met
    return true
  }

  private struct Search {
    struct Tree {
      let oid: ObjectID
      let inside: ArraySlice<TreeName>
    }

    let reader: StructureReader
    let isHelped: Bool
    /// What need not be there.
    let erased: Set<ObjectID>
    var met: Set<ObjectKey>
    var trees: [Tree] = []
    private var files: [ObjectID] = []
    private var lists: Set<ObjectKey> = []
    private var chunks: [ObjectID] = []

    private static let batchCount = 1 << 16

    init(reader: StructureReader, isHelped: Bool, met: Set<ObjectKey>, erased: Set<ObjectID>) {
      self.erased = erased
      self.reader = reader
      self.isHelped = isHelped
      self.met = met
    }

    mutating func add(_ oid: ObjectID, size: UInt64) {
      guard size > 0, !erased.contains(oid) else { return }
      if size <= UInt64(ObjectKind.chunk.byteLimit) {
        files.append(oid)
      } else {
        lists.insert(ObjectKey(kind: .chunkList, id: oid))
      }
    }

    /// - Returns: whether nothing lacks.
    mutating func run(_ store: ObjectStore) async throws -> Bool {
      while !trees.isEmpty {
        let batch = trees.suffix(1024)
        trees.removeLast(batch.count)
        guard try await open(Array(batch), of: store) else { return false }
        if files.count >= Self.batchCount { guard try await resolve(store) else { return false } }
      }
      return try await resolve(store)
    }

    private mutating func open(_ batch: [Tree], of store: ObjectStore) async throws -> Bool {
      let wanted = batch.filter { !$0.inside.isEmpty || met.insert(ObjectKey(kind: .treeNode, id: $0.oid)).inserted }
      let keys = Set(wanted.map { ObjectKey(kind: .treeNode, id: $0.oid) }).sorted()
      guard try await areThere(keys, in: store) else { return false }
      var nodes: [ObjectID: TreeNode] = [:]
      for (key, result) in zip(keys, try await reader.read(ascending: keys)) {
        guard let bytes = try? result.get(), let node = try? TreeNode(decoding: bytes) else { return false }
        nodes[key.id] = node
      }
      for tree in wanted {
        guard let node = nodes[tree.oid] else { return false }
        for item in node.items {
          if item.mode == nil {
            if let name = tree.inside.first, item.name.lexicographicallyPrecedes(name.bytes) { continue }
            trees.append(Tree(oid: item.oid, inside: tree.inside))
            // The first node whose last name is not before it may hold the name, and no other.
            if !tree.inside.isEmpty { break }
            continue
          }
          if let name = tree.inside.first, !item.name.elementsEqual(name.bytes) { continue }
          if item.mode == .directory {
            trees.append(Tree(oid: item.oid, inside: tree.inside.dropFirst()))
          } else {
            add(item.oid, size: item.size)
          }
        }
      }
      return true
    }

    /// Asks for the files that were met: each is a chunk, or a list whose chunks are asked for.
    private mutating func resolve(_ store: ObjectStore) async throws -> Bool {
      let keys = Self.chunkKeys(&files)
      for (key, container) in zip(keys, try await store.index.containers(ofAll: keys)) where container == nil {
        lists.insert(ObjectKey(kind: .chunkList, id: key.id))
      }
      while !lists.isEmpty {
        let batch = lists.sorted().prefix(256)
        lists.subtract(batch)
        let fresh = batch.filter { met.insert($0).inserted }
        guard try await areThere(fresh, in: store) else { return false }
        for result in try await reader.read(ascending: fresh) {
          guard let bytes = try? result.get(), let node = try? ChunkListNode(decoding: bytes.span) else { return false }
          switch node.entries {
          case .chunks(let references): chunks += references.map(\.id)
          case .nodes(let nodes): for child in nodes { lists.insert(ObjectKey(kind: .chunkListNode, id: child.id)) }
          }
        }
        if chunks.count >= Self.batchCount || lists.isEmpty {
          let keys = Self.chunkKeys(&chunks)
          guard try await !store.index.containers(ofAll: keys).contains(nil) else { return false }
        }
      }
      return true
    }

    /// Whether the store has nodes or lists, if reading them would not tell.
    private func areThere(_ keys: [ObjectKey], in store: ObjectStore) async throws -> Bool {
      guard isHelped else { return true }
      return try await !store.index.containers(ofAll: keys).contains(nil)
    }

    /// Takes the IDs out of `ids` and returns the chunks of these names, ascending, each once.
    private static func chunkKeys(_ ids: inout [ObjectID]) -> [ObjectKey] {
      ids.sort()
      var keys: [ObjectKey] = []
      keys.reserveCapacity(ids.count)
      for id in ids where keys.last?.id != id { keys.append(ObjectKey(kind: .chunk, id: id)) }
      ids = []
      return keys
    }
  }
}
