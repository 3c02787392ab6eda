import DVBackend
import DVFile
import DVObject
import Synchronization

extension ObjectWriter {
  /// Closes a pack on a thread of its own and gives it its name.
  ///
  /// The task belongs to the session: ``finish()`` and ``indexSealedChunks()`` wait for it.
  func seal(_ pack: OpenPack) -> Task<SealedPack, any Error> {
    let store = store
    return Task {
      let sealed = try await BlockingThreads.run { () throws(StoreError) in try pack.seal() }
      try await store.install(sealed)
      return sealed
    }
  }

  /// Moves waiting nodes and lists into a pack.
  func flushWaiting(_ state: inout State) throws(StoreError) {
    var pack: OpenPack
    if let open = state.structure { pack = open } else { pack = try OpenPack(in: store.scratch) }
    state.structure = nil
    try state.moveWaiting(into: &pack)
    if pack.isFull { state.structureSeals.append(seal(pack)) } else { state.structure = pack }
  }

  /// Writes an index of the packs of chunks that are on disk, when eight have gathered.
  ///
  /// Only chunks: a list or node is indexed at the end, when all it names is durable.
  func indexSealedChunks() async throws(StoreError) {
    let ready = state.withLock { state -> [Task<SealedPack, any Error>] in
      guard state.seals.count >= Self.indexEvery, !state.isIndexing else { return [] }
      state.isIndexing = true
      defer { state.seals = [] }
      return state.seals
    }
    guard !ready.isEmpty else { return }
    let packs = try await results(of: ready)
    try await index(packs)
    if !isPush { try await store.compactIndex() }
    state.withLock { $0.isIndexing = false }
  }

  /// Makes everything durable and visible, and returns what was added.
  ///
  /// Call it once, when no task uses the session any more.
  public func finish() async throws(StoreError) -> WriteReport {
    let (chunkSeals, structureSeals) = try state.withLock { state throws(StoreError) in
      // What is small goes into one pack: a store of many small sessions has fewer files to merge.
      if state.structure == nil, var pack = state.chunks {
        state.chunks = nil
        try state.moveWaiting(into: &pack)
        state.chunks = pack
      } else if !state.waiting.isEmpty {
        try flushWaiting(&state)
      }
      if let pack = state.chunks { state.seals.append(seal(pack)) }
      if let pack = state.structure { state.structureSeals.append(seal(pack)) }
      state.chunks = nil
      state.structure = nil
      defer {
        state.seals = []
        state.structureSeals = []
      }
      return (state.seals, state.structureSeals)
    }
    let packs = try await results(of: chunkSeals) + results(of: structureSeals)
    try await index(packs)
    if !isPush { try await store.compactIndex() }
    return state.withLock { $0.report }
  }

  private func results(of seals: [Task<SealedPack, any Error>]) async throws(StoreError) -> [SealedPack] {
    var packs: [SealedPack] = []
    var failure: (any Error)?
    for seal in seals {
      do { packs.append(try await seal.value) } catch { failure = failure ?? error }
    }
    if let failure { throw failure as? StoreError ?? StoreError(.other, "\(failure)", cause: failure) }
    return packs
  }

  /// Writes one index segment for `packs` and forgets what it names.
  private func index(_ packs: [SealedPack]) async throws(StoreError) {
    guard !packs.isEmpty else { return }
    try await store.index(packs, omitting: state.withLock { $0.omitted })
    state.withLock { state in
      for pack in packs {
        state.written.insert(pack.container)
        state.report.packs += 1
        state.report.storedBytes += pack.size
        for entry in pack.entries { state.claimed.remove(entry.key) }
      }
    }
  }
}

extension ObjectStore {
  /// Gives a sealed pack its name.
  func install(_ pack: SealedPack) async throws(StoreError) {
    do {
      try await backend.put(
        file: pack.path, size: pack.size, digest: pack.id, at: StoreLayout.pack(pack.id), consuming: true)
    } catch {
      throw StoreError(error)
    }
  }

  /// Writes one level-0 index segment that says where the objects of `packs` lie.
  func index(_ packs: [SealedPack], omitting omitted: Set<ObjectKey>) async throws(StoreError) {
    var entries: [IndexEntry] = []
    entries.reserveCapacity(packs.reduce(0) { $0 + $1.entries.count })
    for (number, pack) in packs.enumerated() {
      for entry in pack.entries where omitted.isEmpty || !omitted.contains(entry.key) {
        entries.append(
          IndexEntry(
            key: entry.key, codec: entry.codec, container: number, offset: UInt64(entry.offset),
            storedLength: entry.storedLength, length: entry.length))
      }
    }
    let segment = SegmentWriter.segment(of: entries, containers: packs.map(\.container))
    try await install(segment.bytes, id: segment.id, level: 0)
  }

  /// Stores a segment's bytes and asks it from now on.
  func install(_ bytes: [UInt8], id: ObjectID, level: Int) async throws(StoreError) {
    do {
      try await backend.put(bytes, at: StoreLayout.segment(id, level: level))
      index.insert(try LoadedSegment(id: id, level: level, bytes: bytes))
    } catch let error as BackendError {
      throw StoreError(error)
    } catch {
      throw StoreError(.corrupt, "The index segment just written cannot be read: \(error).", cause: error)
    }
  }
}

extension ObjectWriter {
  /// Takes over a pack that was copied whole and installed: its objects were claimed, and are indexed with the rest.
  func adopt(_ pack: SealedPack) {
    state.withLock { state in
      for entry in pack.entries { state.count(entry.length) }
      state.seals.append(Task { pack })
    }
  }
}
