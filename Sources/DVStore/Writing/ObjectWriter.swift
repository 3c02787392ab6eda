import DVBackend
import DVFile
public import DVObject
import Synchronization

/// What a session of writing added to a store.
public struct WriteReport: Hashable, Sendable {
  /// How many objects were new.
  public var objects = 0
  /// Bytes of the new objects, before compression.
  public var newBytes: UInt64 = 0
  /// Bytes of the packs written.
  public var storedBytes: UInt64 = 0
  /// How many packs were written.
  public var packs = 0

  public init() {}
}

/// One session of adding objects to a store.
///
/// Many tasks use it at once. Chunks go into packs as they come; tree nodes and chunk lists are gathered and written
/// behind them, in packs of their own when there are many, so that the structure of a dataset can be read without its
/// content. Nothing is visible before ``finish()``, except that every eighth full pack of chunks is indexed on the way:
/// a session that was killed need not be repeated from the start.
///
/// Order of durability: packs of chunks, packs of nodes and lists, index. A killed session leaves temporary files and
/// packs without index, which cost only space.
public final class ObjectWriter: Sendable {
  public let store: ObjectStore

  struct State {
    /// Objects of this session whose index is not yet durable.
    var claimed: Set<ObjectKey> = []
    var chunks: OpenPack?
    var structure: OpenPack?
    /// Stored nodes and lists that wait for a pack.
    var waiting: [WaitingObject] = []
    var waitingBytes = 0
    /// Packs of chunks on their way to the disk, in the order in which they were closed.
    var seals: [Task<SealedPack, any Error>] = []
    /// Packs of nodes and lists, likewise.
    var structureSeals: [Task<SealedPack, any Error>] = []
    var report = WriteReport()
    /// The packs that were indexed.
    var written: Set<IndexContainer> = []
    /// Bytes of the objects added so far, as they are stored.
    var encodedBytes: UInt64 = 0
    /// Containers that hold objects the session relied on.
    var reused: Set<IndexContainer> = []
    var isIndexing = false
    /// Objects that are in packs and shall not be found: what they name is not there.
    var omitted: Set<ObjectKey> = []

    mutating func count(_ length: Int) {
      report.objects += 1
      report.newBytes += UInt64(length)
    }

    /// Moves the waiting nodes and lists into `pack`.
    mutating func moveWaiting(into pack: inout OpenPack) throws(StoreError) {
      for object in waiting {
        try pack.append(object.key, codec: object.codec, stored: object.stored.span, length: object.length)
      }
      waiting = []
      waitingBytes = 0
    }
  }

  struct WaitingObject {
    let key: ObjectKey
    let codec: Codec
    let stored: [UInt8]
    let length: Int
  }

  let state = Mutex(State())

  /// Packs of chunks that wait for an index at most.
  static let indexEvery = 8
  /// Nodes and lists are kept back up to this many bytes, then they get a pack of their own.
  private static let waitingLimit = 4 << 20

  /// Whether the session is that of a push: it keeps which containers it relied on, for a check before the commit, and
  /// leaves merging for after it.
  let isPush: Bool
  private var recordsReuse: Bool { isPush }

  init(store: ObjectStore, isPush: Bool = false) {
    self.store = store
    self.isPush = isPush
  }

  /// Keeps objects of this session out of the index.
  func omit(_ keys: Set<ObjectKey>) { state.withLock { $0.omitted.formUnion(keys) } }

  /// The packs that the session wrote.
  var written: Set<IndexContainer> { state.withLock { $0.written } }

  /// Begins a session of adding objects to `store`.
  public convenience init(addingTo store: ObjectStore) { self.init(store: store) }

  /// What was added so far: bytes of new objects before compression, and as they are stored.
  public var added: (newBytes: UInt64, storedBytes: UInt64) {
    state.withLock { ($0.report.newBytes, $0.encodedBytes) }
  }

  /// The containers with objects that were not written because they were there.
  var reused: Set<IndexContainer> { state.withLock { $0.reused } }

  /// Reserves the objects that the store lacks: who is told `true` must ``put`` the object.
  ///
  /// Of two tasks that ask for the same object, one is told `true`.
  public func claim(_ keys: [ObjectKey]) async throws(StoreError) -> [Bool] {
    var result: [Bool] = []
    result.reserveCapacity(keys.count)
    for key in keys { result.append(try await claim(key)) }
    try await indexSealedChunks()
    return result
  }

  /// Reserves one object; see ``claim(_:)-([ObjectKey])``.
  public func claim(_ key: ObjectKey) async throws(StoreError) -> Bool {
    if state.withLock({ $0.claimed.contains(key) }) { return false }
    if let container = try await store.index.container(of: key) {
      if recordsReuse { state.withLock { _ = $0.reused.insert(container) } }
      return false
    }
    return state.withLock { $0.claimed.insert(key).inserted }
  }

  /// Reserves the objects that the store lacks, as ``claim(_:)-([ObjectKey])`` does.
  ///
  /// - Parameter keys: in ascending order, none twice.
  func claim(ascending keys: [ObjectKey]) async throws(StoreError) -> [Bool] {
    let held = try await store.index.containers(ofAll: keys)
    let recordsReuse = recordsReuse
    return state.withLock { state in
      var last: IndexContainer?
      return keys.indices.map { index in
        if let container = held[index] {
          if recordsReuse, container != last, !state.claimed.contains(keys[index]) {
            state.reused.insert(container)
            last = container
          }
          return false
        }
        return state.claimed.insert(keys[index]).inserted
      }
    }
  }

  /// Encodes and adds an object that was claimed.
  ///
  /// - Parameters:
  ///   - bytes: the object; the caller has proved that its name is right.
  ///   - memory: what earlier chunks of the same stream taught about the codec.
  public func put(_ bytes: Span<UInt8>, as key: ObjectKey, memory: inout CodecMemory) throws(StoreError) {
    let encoder = try store.coders.takeEncoder()
    defer { store.coders.give(encoder) }
    try put(bytes, as: key, memory: &memory, encoder: encoder)
  }

  func put(
    _ bytes: Span<UInt8>, as key: ObjectKey, memory: inout CodecMemory, encoder: ObjectEncoder
  ) throws(StoreError) {
    let codec = try encoder.encode(bytes, memory: &memory)
    if codec == .raw {
      try append(key, codec: .raw, stored: bytes, length: bytes.count)
    } else {
      let stored = encoder.stored
      try append(key, codec: codec, stored: stored.span, length: bytes.count)
    }
  }

  /// Claims, encodes and adds an object: for the few nodes and lists of a dataset.
  ///
  /// - Returns: whether it was new.
  @discardableResult
  public func store(_ bytes: [UInt8], as key: ObjectKey) async throws(StoreError) -> Bool {
    guard try await claim(key) else { return false }
    var memory = CodecMemory()
    try put(bytes.span, as: key, memory: &memory)
    return true
  }

  /// Adds stored bytes, which were proved to decode to the object.
  func append(_ key: ObjectKey, codec: Codec, stored: Span<UInt8>, length: Int) throws(StoreError) {
    if key.kind == .chunk {
      try appendChunk(key, codec: codec, stored: stored, length: length)
    } else {
      try appendStructure(key, codec: codec, stored: stored, length: length)
    }
  }

  private func appendChunk(_ key: ObjectKey, codec: Codec, stored: Span<UInt8>, length: Int) throws(StoreError) {
    let scratch = store.scratch
    try state.withLock { state throws(StoreError) in
      state.count(length)
      state.encodedBytes += UInt64(stored.count)
      var pack: OpenPack
      if let open = state.chunks { pack = open } else { pack = try OpenPack(in: scratch) }
      state.chunks = nil
      try pack.append(key, codec: codec, stored: stored, length: length)
      if pack.isFull { state.seals.append(seal(pack)) } else { state.chunks = pack }
    }
  }

  private func appendStructure(_ key: ObjectKey, codec: Codec, stored: Span<UInt8>, length: Int) throws(StoreError) {
    var copy: [UInt8] = []
    copy.append(span: stored)
    let object = WaitingObject(key: key, codec: codec, stored: copy, length: length)
    try state.withLock { state throws(StoreError) in
      state.count(length)
      state.encodedBytes += UInt64(object.stored.count)
      state.waiting.append(object)
      state.waitingBytes += object.stored.count
      if state.waitingBytes >= Self.waitingLimit { try flushWaiting(&state) }
    }
  }
}
