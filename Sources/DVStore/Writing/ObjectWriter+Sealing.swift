import DVBackend
import DVFile
import DVObject
import Synchronization

extension ObjectWriter {
  /// Closes a pack on a thread of its own, gives it its name and adds it to `list`.
  ///
  /// Call it with the state locked. The task belongs to the session: ``finish()`` waits for it, and a session that is
  /// dropped lives on until it ended.
  func seal(_ pack: OpenPack, to list: any WritableKeyPath<State, [SealedPack]> & Sendable, _ state: inout State) {
    let number = state.sealCount
    state.sealCount += 1
    let task = Task {
      do {
        let sealed = try await BlockingThreads.run { () throws(StoreError) in try pack.seal() }
        try await store.install(sealed)
        self.state.withLock { $0[keyPath: list].append(sealed) }
      } catch {
        _ = end(with: StoreError(wrapping: error))
      }
      self.state.withLock { $0.seals.removeAll { $0.number == number } }
    }
    state.seals.append(Seal(number: number, task: task))
  }

  /// Moves waiting nodes and lists into a pack.
  func flushWaiting(_ state: inout State) throws(StoreError) {
    var pack: OpenPack
    if let open = state.structure { pack = open } else { pack = try OpenPack(in: store.scratch) }
    state.structure = nil
    try state.moveWaiting(into: &pack)
    if pack.isFull { seal(pack, to: \.sealedStructure, &state) } else { state.structure = pack }
  }

  /// Waits for the disk if it lags behind, and indexes packs of chunks when eight have gathered.
  ///
  /// Only chunks: a list or node is indexed at the end, when all it names is durable.
  func keepPace() async throws(StoreError) {
    var oldest: Task<Void, Never>?
    var ready: [SealedPack] = []
    try change { state in
      if state.seals.count > Self.sealLimit { oldest = state.seals.first?.task }
      guard state.sealed.count >= Self.indexEvery, !state.isIndexing else { return }
      state.isIndexing = true
      ready = state.sealed
      state.sealed = []
    }
    if !ready.isEmpty {
      defer { state.withLock { $0.isIndexing = false } }
      try await index(ready, isOver: false)
      if !isPush { await store.compactIndex() }
    }
    await oldest?.value
  }

  /// Makes everything durable and visible, and returns what was added.
  ///
  /// Call it once, when no task uses the session any more.
  public func finish() async throws(StoreError) -> WriteReport {
    try change { state throws(StoreError) in
      // What is small goes into one pack: a store of many small sessions has fewer files to merge.
      if state.structure == nil, var pack = state.chunks {
        state.chunks = nil
        try state.moveWaiting(into: &pack)
        state.chunks = pack
      } else if !state.waiting.isEmpty {
        try flushWaiting(&state)
      }
      if let pack = state.chunks { seal(pack, to: \.sealed, &state) }
      if let pack = state.structure { seal(pack, to: \.sealedStructure, &state) }
      state.chunks = nil
      state.structure = nil
    }
    while let seal = state.withLock({ $0.seals.first }) { await seal.task.value }
    var packs: [SealedPack] = []
    try change { state in
      packs = state.sealed + state.sealedStructure
      state.sealed = []
      state.sealedStructure = []
      // Nobody claims any more: with millions of objects the index takes this memory.
      state.claimed = []
    }
    try await index(packs, isOver: true)
    if !packs.isEmpty, !isPush { await store.compactIndex() }
    return state.withLock { $0.report }
  }

  /// Writes one index segment for `packs` and forgets what it names.
  ///
  /// - Parameter isOver: whether the session is: what it claimed is not asked for any more.
  private func index(_ packs: [SealedPack], isOver: Bool) async throws(StoreError) {
    guard !packs.isEmpty else { return }
    let omitted = state.withLock { $0.omitted }
    do throws(StoreError) { try await store.index(packs, omitting: omitted) } catch { throw end(with: error) }
    state.withLock { state in
      for pack in packs {
        state.written.insert(pack.container)
        state.report.packs += 1
        state.report.storedBytes += pack.size
        if isOver { continue }
        for entry in pack.entries { state.claimed.remove(entry.key) }
      }
    }
  }
}

extension ObjectStore {
  /// Gives a sealed pack its name. If that fails, its file is removed.
  func install(_ pack: SealedPack) async throws(StoreError) {
    do {
      try await backend.put(
        file: pack.path, size: pack.size, digest: pack.id, at: StoreLayout.pack(pack.id), consuming: true)
    } catch {
      // What matters is why it could not be stored; a file that stays costs only space.
      try? pack.path.removeFile()
      throw StoreError(error)
    }
  }

  /// Writes one level-0 index segment that says where the objects of `packs` lie.
  ///
  /// - Parameter omitted: objects that are not to be found.
  func index(_ packs: [SealedPack], omitting omitted: Set<ObjectKey> = []) async throws(StoreError) {
    let segment = SegmentWriter.segment(of: packs, omitting: omitted)
    try await install(segment.bytes, id: segment.id, level: 0)
  }

  /// Stores a segment's bytes and asks it from now on.
  func install(_ bytes: [UInt8], id: ObjectID, level: Int) async throws(StoreError) {
    do {
      let segment = try LoadedSegment(id: id, level: level, bytes: bytes, wholeLimit: index.wholeLimit)
      try await backend.put(bytes, at: StoreLayout.segment(id, level: level))
      index.insert(segment)
    } catch let error as BackendError {
      throw StoreError(error)
    } catch {
      throw StoreError(.corrupt, "The index segment just written cannot be read: \(error).", cause: error)
    }
  }
}
