import DVFile
import DVObject
import Synchronization

/// Writes the tree nodes and chunk lists of a push, each with a list behind it that says where what it names lies.
///
/// That is known when the chunks are in packs, and of a node when those below it are written: so structure is written last,
/// from the leaves to the roots, read once more from the local store.
///
///     chunk packs sealed ──► lists, then nodes above them ──► packs ──► index (the session's end)
struct StructureWriting {
  private let writer: ObjectWriter
  private let reader: StructureReader
  private let store: ObjectStore
  /// What is to be written and is not yet.
  private var open: Set<ObjectKey>
  private var places: SessionPlaces
  private var pack: StructurePack
  private var countedBefore = 0

  init(writer: ObjectWriter, reader: StructureReader) async throws(StoreError) {
    self.writer = writer
    self.reader = reader
    store = writer.store
    let session = try await writer.takeStructure()
    open = session.postponed
    places = SessionPlaces(of: session.sealed)
    pack = StructurePack(store: store, continuing: session.chunks)
    if let chunks = session.chunks {
      places.add(chunks.entries, in: pack.number)
      countedBefore = chunks.entries.count
    }
  }

  /// Writes all below `roots` that the session claimed.
  mutating func run(_ roots: [TransferRoot]) async throws {
    for root in roots {
      switch root.kind {
      case .tree: try await writeTree(root.oid)
      case .file: try await writeLists([ObjectKey(kind: .chunkList, id: root.oid)])
      }
    }
    // What could not be reached through a damaged node above it has no list of places.
    for key in open.sorted() {
      try await write(key, try await reader.read(key), naming: [])
      open.remove(key)
    }
    adopt(try await pack.seal())
  }

  // MARK: What names what

  private mutating func writeTree(_ oid: ObjectID) async throws {
    let key = ObjectKey(kind: .treeNode, id: oid)
    guard open.remove(key) != nil else { return }
    let bytes = try await reader.read(key)
    let node = try StructureReader.node(key, bytes)
    var named: [ObjectKey] = []
    var lists: [ObjectKey] = []
    for item in node.items {
      switch item.mode {
      case nil, .directory?:
        try await writeTree(item.oid)
        named.append(ObjectKey(kind: .treeNode, id: item.oid))
      default:
        // A file is one chunk or has a list; which, the places tell.
        named.append(ObjectKey(kind: .chunk, id: item.oid))
        let list = ObjectKey(kind: .chunkList, id: item.oid)
        if open.contains(list) { lists.append(list) }
      }
    }
    try await writeLists(lists)
    try await write(key, bytes, naming: named)
  }

  private mutating func writeLists(_ keys: [ObjectKey]) async throws {
    let fresh = Set(keys).intersection(open).sorted()
    if fresh.isEmpty { return }
    open.subtract(fresh)
    for (key, result) in zip(fresh, try await reader.read(ascending: fresh)) {
      let bytes = try result.get()
      let node: ChunkListNode
      do { node = try ChunkListNode(decoding: bytes.span) } catch {
        throw StoreError(.corrupt, "The \(key) is damaged: \(error).", key: key, cause: error)
      }
      switch node.entries {
      case .chunks(let chunks):
        try await write(key, bytes, naming: chunks.map { ObjectKey(kind: .chunk, id: $0.id) })
      case .nodes(let nodes):
        let children = nodes.map { ObjectKey(kind: .chunkListNode, id: $0.id) }
        try await writeLists(children)
        try await write(key, bytes, naming: children)
      }
    }
  }

  // MARK: Writing

  private mutating func adopt(_ sealed: SealedPack?) {
    guard let sealed else { return }
    // The chunks of the pack that structure goes on in were counted.
    writer.adopt(sealed, counted: countedBefore)
    countedBefore = 0
  }

  /// Writes one object and behind it where `named` lie.
  private mutating func write(_ key: ObjectKey, _ bytes: [UInt8], naming named: [ObjectKey]) async throws {
    if pack.isFull { adopt(try await pack.seal()) }
    let found = try await places.find(named, in: store)
    let entry = try pack.append(bytes, as: key)
    var listed: ObjectPlace.Listed?
    if found.contains(where: { $0 != nil }) {
      let list = pack.list(of: key.kind, found)
      let place = try pack.append(list.encoded(), as: ObjectKey(kind: .placeList, id: key.id))
      listed = ObjectPlace.Listed(codec: place.codec, storedLength: place.storedLength, length: place.length)
    }
    places.add(entry, in: pack.number, listed: listed)
  }
}

extension ObjectWriter {
  /// What a session has when only its structure is left to write.
  struct StructureStart {
    /// Nodes and lists to write.
    let postponed: Set<ObjectKey>
    /// Packs that are in no index yet.
    let sealed: [SealedPack]
    /// The pack that is not full: small structure goes into it too.
    let chunks: OpenPack?
  }

  /// Waits for packs that are on their way to the disk, and hands over what is needed to write the structure.
  ///
  /// Call it once, when all chunks were added.
  func takeStructure() async throws(StoreError) -> StructureStart {
    while let seal = state.withLock({ $0.seals.first }) { await seal.task.value }
    var start: StructureStart?
    try change { state in
      start = StructureStart(
        postponed: state.postponed.subtracting(state.omitted), sealed: state.sealed, chunks: state.chunks)
      state.chunks = nil
      state.postponed = []
    }
    return start ?? StructureStart(postponed: [], sealed: [], chunks: nil)
  }
}
