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
///
/// A session that failed once fails for good: an object that was claimed and could not be written is one that another
/// task may rely on. So after any error every later call throws it again, and nothing more becomes visible.
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
    /// Packs on their way to the disk, the one closed first at the front.
    var seals: [Seal] = []
    var sealCount = 0
    /// Packs that have their names and are in no index yet.
    var sealed: [SealedPack] = []
    /// The same of nodes and lists: indexed at the end, when all they name is durable.
    var sealedStructure: [SealedPack] = []
    var isIndexing = false
    var report = WriteReport()
    /// Bytes of the objects added so far, as they are stored.
    var encodedBytes: UInt64 = 0
    /// The packs that were indexed.
    var written: Set<IndexContainer> = []
    /// Objects that are in packs and shall not be found: what they name is not there.
    var omitted: Set<ObjectKey> = []
    /// Containers that hold objects the session relied on.
    var reused: Set<IndexContainer> = []
    /// Nodes and lists that were claimed and are written at the end, by ``StructureWriting``.
    var postponed: Set<ObjectKey> = []
    /// What ended the session.
    var failure: StoreError?

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

    /// Ends the session and removes its files under construction.
    mutating func fail(_ error: StoreError) {
      if failure == nil { failure = error }
      chunks = nil
      structure = nil
      waiting = []
    }
  }

  struct WaitingObject {
    let key: ObjectKey
    let codec: Codec
    let stored: [UInt8]
    let length: Int
  }

  /// A pack on its way to the disk.
  struct Seal {
    let number: Int
    let task: Task<Void, Never>
  }

  let state = Mutex(State())

  /// Packs of chunks that wait for an index at most.
  static let indexEvery = 8
  /// Packs on their way to the disk at most: beyond, who claims objects waits. Each takes up to 16 MiB of memory.
  static let sealLimit = 3
  /// Nodes and lists are kept back up to this many bytes, then they get a pack of their own.
  private static let waitingLimit = 4 << 20

  /// Whether the session is that of a push: it keeps which containers it relied on, for a check before the commit, and
  /// leaves merging for after it.
  let isPush: Bool

  /// Whether nodes and lists are written at the end of the session, each with a list of places behind it: for a remote
  /// whose every answer takes a round trip.
  let listsPlaces: Bool

  /// Begins a session of adding objects to `store`.
  public convenience init(addingTo store: ObjectStore) { self.init(store: store) }

  init(store: ObjectStore, isPush: Bool = false) {
    self.store = store
    self.isPush = isPush
    listsPlaces = isPush && !store.backend.answersAtOnce
    if let refusal = store.writeRefusal { state.withLock { $0.failure = refusal } }
  }

  /// What was added so far: bytes of new objects before compression, and as they are stored.
  public var added: (newBytes: UInt64, storedBytes: UInt64) {
    state.withLock { ($0.report.newBytes, $0.encodedBytes) }
  }

  /// The digest of the pack that chunks go to now, whose blocks want to be hashed besides something else.
  var packDigest: RunningDigest? { state.withLock { $0.chunks?.running } }

  /// Keeps objects of this session out of the index.
  func omit(_ keys: Set<ObjectKey>) { state.withLock { $0.omitted.formUnion(keys) } }

  /// The packs that the session wrote.
  var written: Set<IndexContainer> { state.withLock { $0.written } }

  /// The containers with objects that were not written because they were there.
  var reused: Set<IndexContainer> { state.withLock { $0.reused } }

  /// Reserves the objects that the store lacks: who is told `true` must ``put`` the object.
  ///
  /// Of two tasks that ask for the same object, one is told `true`. Waits while too many packs are on their way to the
  /// disk.
  public func claim(_ keys: [ObjectKey]) async throws(StoreError) -> [Bool] {
    try await keepPace()
    var result: [Bool] = []
    result.reserveCapacity(keys.count)
    for key in keys { result.append(try await reserve(key)) }
    return result
  }

  /// Reserves one object; see ``claim(_:)-([ObjectKey])``.
  public func claim(_ key: ObjectKey) async throws(StoreError) -> Bool {
    try await keepPace()
    return try await reserve(key)
  }

  private func reserve(_ key: ObjectKey) async throws(StoreError) -> Bool {
    var isClaimed = false
    try change { state in isClaimed = state.claimed.contains(key) }
    if isClaimed { return false }
    do throws(StoreError) {
      if !isPush {
        if try await store.index.contains(key) { return false }
      } else if let container = try await store.index.container(of: key) {
        state.withLock { _ = $0.reused.insert(container) }
        return false
      }
    } catch {
      throw end(with: error)
    }
    return state.withLock { $0.claimed.insert(key).inserted }
  }

  /// Reserves the objects that the store lacks, as ``claim(_:)-([ObjectKey])`` does.
  ///
  /// - Parameter keys: in ascending order, none twice.
  func claim(ascending keys: [ObjectKey]) async throws(StoreError) -> [Bool] {
    try await keepPace()
    let held: [IndexContainer?]
    do throws(StoreError) { held = try await store.index.containers(ofAll: keys) } catch { throw end(with: error) }
    var claims: [Bool] = []
    try change { state in
      var last: IndexContainer?
      claims = keys.indices.map { index in
        guard let container = held[index] else { return state.claimed.insert(keys[index]).inserted }
        if isPush, container != last, !state.claimed.contains(keys[index]) {
          state.reused.insert(container)
          last = container
        }
        return false
      }
    }
    return claims
  }

  /// Encodes and adds an object that was claimed.
  ///
  /// - Parameters:
  ///   - bytes: the object; the caller has proved that its name is right.
  ///   - memory: what earlier chunks of the same stream taught about the codec.
  public func put(_ bytes: Span<UInt8>, as key: ObjectKey, memory: inout CodecMemory) throws(StoreError) {
    do throws(StoreError) {
      let encoder = try store.coders.takeEncoder()
      defer { store.coders.give(encoder) }
      let codec = try encoder.encode(bytes, memory: &memory)
      if codec == .raw {
        try append(key, codec: .raw, stored: bytes, length: bytes.count)
      } else {
        let stored = encoder.stored
        try append(key, codec: codec, stored: stored.span, length: bytes.count)
      }
    } catch {
      throw end(with: error)
    }
  }

  /// Adds a node or list that was claimed, or leaves it for the end of the session.
  func putStructure(_ bytes: Span<UInt8>, as key: ObjectKey) throws(StoreError) {
    if listsPlaces {
      try change { $0.postponed.insert(key) }
    } else {
      var memory = CodecMemory()
      try put(bytes, as: key, memory: &memory)
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
    let header = OpenPack.EncodedHeader(
      PackEntryHeader(key: key, codec: codec, storedLength: stored.count, length: length))
    try change { state throws(StoreError) in
      state.count(length)
      state.encodedBytes += UInt64(stored.count)
      var pack: OpenPack
      if let open = state.chunks { pack = open } else { pack = try OpenPack(in: store.scratch) }
      state.chunks = nil
      try pack.append(header, stored)
      if pack.isFull { seal(pack, to: \.sealed, &state) } else { state.chunks = pack }
    }
  }

  private func appendStructure(_ key: ObjectKey, codec: Codec, stored: Span<UInt8>, length: Int) throws(StoreError) {
    var copy: [UInt8] = []
    copy.append(span: stored)
    let object = WaitingObject(key: key, codec: codec, stored: copy, length: length)
    try change { state throws(StoreError) in
      state.count(length)
      state.encodedBytes += UInt64(object.stored.count)
      state.waiting.append(object)
      state.waitingBytes += object.stored.count
      if state.waitingBytes >= Self.waitingLimit { try flushWaiting(&state) }
    }
  }

  /// Takes over a pack that was copied whole and installed: its objects were claimed, and are indexed with the rest.
  ///
  /// - Parameter counted: how many of its entries were counted when they were added.
  func adopt(_ pack: SealedPack, counted: Int = 0) {
    state.withLock { state in
      for entry in pack.entries[counted...] where entry.key.kind != .placeList { state.count(entry.length) }
      state.sealed.append(pack)
    }
  }

  // MARK: Failing

  /// Changes the session's state, unless it failed; if `body` throws, it has.
  func change(_ body: (inout State) throws(StoreError) -> Void) throws(StoreError) {
    try state.withLock { state throws(StoreError) in
      if let failure = state.failure { throw failure }
      do throws(StoreError) { try body(&state) } catch {
        state.fail(error)
        throw error
      }
    }
  }

  /// Ends the session, and returns what ended it first.
  func end(with error: StoreError) -> StoreError {
    state.withLock { state in
      state.fail(error)
      return state.failure ?? error
    }
  }
}
