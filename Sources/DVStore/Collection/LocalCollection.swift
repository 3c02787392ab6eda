import DVBackend
import DVFile
import DVObject

/// What a garbage collection did, or with `dryRun` would do.
public struct CollectionReport: Hashable, Sendable {
  /// Objects that are needed and there.
  public var liveObjects = 0
  /// Packs condemned: they go after the grace, if nothing needs them then.
  public var condemnedPacks = 0
  public var condemnedBytes: UInt64 = 0
  /// Packs that were condemned before and wait for the grace to pass.
  public var waitingPacks = 0
  public var waitingBytes: UInt64 = 0
  /// When the first of what is condemned may go, in seconds since 1970.
  public var nextDeletion: Int64?
  /// Packs deleted.
  public var deletedPacks = 0
  public var deletedBytes: UInt64 = 0
  /// Bytes copied out of packs that were mostly garbage, as they were stored.
  public var repackedBytes: UInt64 = 0
  /// Paths whose data is not all in the store: what there is of it was kept.
  public var incomplete: [String] = []
  /// Paths with damaged nodes or lists: below them nobody knows what is needed, so nothing was removed.
  public var damaged: [String] = []

  public init() {}
}

/// Frees what nothing needs any more in a store that its clones reach directly.
///
/// Two steps, because other processes may be adding objects right now and rely on what they find: a pack without a needed
/// object is first *condemned*, from when on nobody relies on it; the collection that finds it condemned for longer than the
/// grace, and still not needed, deletes it. With ``Mode/now`` the caller holds the store's exclusive lock, so that nobody is
/// adding, and both steps are one.
///
/// An object that lies in several packs is needed in all of them, except in one that is condemned: what was needed of that was
/// copied out of it. Before the pack goes, each copy is read and proved.
public struct LocalCollection: Sendable {
  public enum Mode: Hashable, Sendable {
    /// Condemn, and delete what was condemned before the grace, in seconds.
    case graceful(seconds: UInt64)
    /// The caller holds the exclusive lock.
    case now
  }

  private let store: ObjectStore
  private let mode: Mode
  private let dryRun: Bool

  /// A pack with less than this part needed is copied into a new one.
  private static let repackBelow = 0.5
  /// Bytes that an object takes in a pack besides its own.
  static let overhead = PackEntryHeader.byteCount + PackTable.rowByteCount

  public init(store: ObjectStore, mode: Mode, dryRun: Bool = false) {
    self.store = store
    self.mode = mode
    self.dryRun = dryRun
  }

  /// Collects.
  ///
  /// - Parameter roots: everything that must be kept, from every clone that uses the store.
  public func run(keeping roots: [TransferRoot]) async throws -> CollectionReport {
    if let refusal = store.collectionRefusal { throw refusal }
    try await store.refresh()
    if let segment = store.damagedSegments.first {
      throw StoreError(.corrupt, "The index of \(store.name) is damaged, so nothing was removed: \(segment.message)")
    }
    var report = CollectionReport()
    let now = try await clock()
    let condemned = try await CondemnedList(of: store)

    var marking = try await mark(roots)
    // What they hold may name more that is needed.
    while !dryRun, try await adopt(beside: condemned.packs, marking) { marking = try await mark(roots) }
    var named: Set<String> = []
    for finding in marking.unreadable where named.insert(finding.label).inserted {
      if finding.isCorrupt { report.damaged.append(finding.label) } else { report.incomplete.append(finding.label) }
    }
    if !report.damaged.isEmpty { return report }

    let (packs, liveObjects) = try await survey(live: marking.live, condemned: condemned.packs)
    report.liveObjects = liveObjects
    let candidates = packs.filter { isOldEnough($0, now: now) }
    let dead = candidates.filter { $0.neededBytes == 0 }
    var sparse = candidates.filter(\.isSparse)

    // What was condemned long enough ago and is dead still.
    var due: Set<ObjectID> = []
    for item in condemned.items where isDue(item, now: now) { due.formUnion(item.packs) }
    if mode == .now { due.formUnion(dead.map(\.id)) }
    var doomed = dead.filter { due.contains($0.id) }
    let waiting = dead.filter { condemned.packs.contains($0.id) && !due.contains($0.id) }
    let fresh = dead.filter { !condemned.packs.contains($0.id) && !due.contains($0.id) }
    report.repackedBytes = sparse.reduce(0) { $0 + $1.neededBytes }
    if !dryRun {
      if !sparse.isEmpty {
        let isCopied = try await repack(sparse, live: marking.live)
        if !isCopied { sparse = [] }
      }
      if mode == .now { doomed += sparse }
      doomed = try await replaceable(doomed, live: marking.live)
      // A sparse pack is dead once it is copied; it waits like the others, unless nobody else can be there.
      if mode != .now { try await condemn(fresh + sparse, now: now) }
      try await delete(doomed)
      for item in condemned.items where isDue(item, now: now) { try await remove(item.key) }
    } else if mode == .now {
      doomed += sparse
    }
    report.deletedPacks = doomed.count
    report.deletedBytes = doomed.reduce(0) { $0 + $1.size }
    if case .graceful(let seconds) = mode {
      report.condemnedPacks = fresh.count + sparse.count
      report.condemnedBytes = (fresh + sparse).reduce(0) { $0 + $1.size }
      report.waitingPacks = waiting.count
      report.waitingBytes = waiting.reduce(0) { $0 + $1.size }
      let open = condemned.items.filter { !isDue($0, now: now) }.map { Int64(clamping: $0.time) }
      let times = open + (report.condemnedPacks > 0 ? [now] : [])
      if report.condemnedPacks + report.waitingPacks > 0 {
        report.nextDeletion = times.min().map { $0.addingReportingOverflow(Int64(clamping: seconds)).partialValue }
      }
    }
    return report
  }

  private func mark(_ roots: [TransferRoot]) async throws -> Marking {
    var marking = Marking(stores: [store], optional: store.erased)
    try await marking.mark(roots)
    return marking
  }

  /// Indexes the packs that no index names, if one of them holds what is needed and what the index has nowhere: a killed command may
  /// have left them, or an index segment was lost. They are no garbage.
  ///
  /// - Returns: whether there were any.
  private func adopt(beside condemned: Set<ObjectID>, _ marking: Marking) async throws -> Bool {
    var named: Set<ObjectID> = []
    for segment in store.index.all { for container in segment.head.containers { named.insert(container.id) } }
    var open: [IndexContainer] = []
    do {
      for entry in try await store.backend.list(StoreLayout.packs) {
        guard let id = StoreLayout.pack(from: entry.key), !named.contains(id), !condemned.contains(id) else { continue }
        open.append(IndexContainer(kind: .pack, id: id, size: entry.size))
      }
    } catch {
      throw StoreError(error)
    }
    if open.isEmpty { return false }
    var needs = marking.needs
    for segment in store.index.all { try await segment.forEachEntry(from: store.backend) { needs.note($0.key) } }
    needs.finish()
    if needs.count == 0 { return false }
    var readable: [IndexContainer] = []
    var isNeeded = false
    for pack in open.sorted(by: { $0.id < $1.id }) {
      // One that is damaged holds nothing that can be told.
      guard let table = try? await store.table(of: pack) else { continue }
      readable.append(pack)
      isNeeded = isNeeded || table.entries.contains { needs.contains($0.key) }
    }
    guard isNeeded else { return false }
    try await IndexRebuild(store: store).run(readable, superseding: [])
    try await store.refresh()
    return true
  }

  // MARK: Deciding

  private struct Pack: Hashable, Sendable {
    let id: ObjectID
    let size: UInt64
    /// Seconds since 1970.
    let modified: Int64
    /// Bytes of the pack that hold objects which are needed from it.
    var neededBytes: UInt64 = 0

    /// Whether most of it is garbage.
    var isSparse: Bool {
      let fixed = UInt64(PackHeader.byteCount + PackTable.trailerByteCount)
      return neededBytes > 0 && Double(neededBytes + fixed) < LocalCollection.repackBelow * Double(size)
    }
  }

  /// Counts what is needed of every pack that is there, indexed or not.
  ///
  /// - Returns: the packs, and how many objects are needed that the store has.
  private func survey(live: LiveSet, condemned: Set<ObjectID>) async throws(StoreError) -> ([Pack], Int) {
    var packs: [ObjectID: Pack] = [:]
    var liveObjects = 0
    do {
      for entry in try await store.backend.list(StoreLayout.packs) {
        guard let id = StoreLayout.pack(from: entry.key) else { continue }
        packs[id] = Pack(id: id, size: entry.size, modified: (entry.modified ?? .max) / 1_000_000_000)
      }
    } catch {
      throw StoreError(error)
    }
    var entries = EntryMerge(backend: store.backend)
    for segment in store.index.all { try await entries.add(segment) }
    var places: [(entry: IndexEntry, container: IndexContainer)] = []
    while let place = entries.current {
      places.append(place)
      try await entries.advance()
      if entries.current?.entry.key == place.entry.key { continue }
      if live.needs(place.entry.key) {
        if !place.entry.key.kind.isHint { liveObjects += 1 }
        // Copies in packs that stay, are there, and are as long as they should be.
        let kept = places.filter { packs[$0.container.id]?.size == $0.container.size && !condemned.contains($0.container.id) }
        for (entry, container) in kept.isEmpty ? places : kept {
          packs[container.id]?.neededBytes += UInt64(entry.storedLength + Self.overhead)
        }
      }
      places.removeAll(keepingCapacity: true)
    }
    return (packs.values.sorted { $0.id < $1.id }, liveObjects)
  }

  /// Packs younger than the grace may belong to a session that is not finished.
  private func isOldEnough(_ pack: Pack, now: Int64) -> Bool {
    switch mode {
    case .now: true
    case .graceful(let seconds): now - pack.modified >= Int64(clamping: seconds)
    }
  }

  private func isDue(_ item: CondemnedList.Item, now: Int64) -> Bool {
    switch mode {
    case .now: true
    case .graceful(let seconds): now - Int64(clamping: item.time) >= Int64(clamping: seconds)
    }
  }

  // MARK: Acting

  /// Returns the needed objects that the index has in `packs`.
  private func needed(from packs: [Pack], live: LiveSet) async throws(StoreError) -> [ObjectID: Set<ObjectKey>] {
    let wanted = Set(packs.map(\.id))
    var keys: [ObjectID: Set<ObjectKey>] = [:]
    for segment in store.index.all where segment.head.containers.contains(where: { wanted.contains($0.id) }) {
      let containers = segment.head.containers
      try await segment.forEachEntry(from: store.backend) { entry in
        let id = containers[entry.container].id
        if wanted.contains(id), live.contains(entry.key) { keys[id, default: []].insert(entry.key) }
      }
    }
    return keys
  }

  /// Copies what is needed out of packs.
  ///
  /// - Returns: whether all of it was copied; if not, for damage, the packs are to stay.
  private func repack(_ sparse: [Pack], live: LiveSet) async throws(StoreError) -> Bool {
    // Copies rely on nothing that is leaving.
    store.index.condemn(Set(sparse.map(\.id)))
    defer { store.index.condemn([]) }
    let writer = ObjectWriter(store: store)
    var isComplete = true
    for key in try await needed(from: sparse, live: live).values.reduce(into: Set(), { $0.formUnion($1) }).sorted() {
      let isCopied = try await copy(key, into: writer)
      isComplete = isComplete && isCopied
    }
    _ = try await writer.finish()
    return isComplete
  }

  /// Copies one object.
  ///
  /// - Returns: whether it is whole.
  private func copy(_ key: ObjectKey, into writer: ObjectWriter) async throws(StoreError) -> Bool {
    do throws(StoreError) {
      let bytes = try await store.read(key)
      try await writer.store(bytes, as: key)
      return true
    } catch {
      if error.code == .corrupt || error.code == .missing { return false }
      throw error
    }
  }

  /// Returns those of `packs` of which every needed object can be read, whole, from a pack that stays.
  private func replaceable(_ packs: [Pack], live: LiveSet) async throws -> [Pack] {
    let keys = try await needed(from: packs, live: live)
    if keys.isEmpty { return packs }
    let leaving = Set(packs.map(\.id))
    var staying: [Pack] = []
    for pack in packs {
      var isReplaceable = true
      for key in (keys[pack.id] ?? []).sorted() {
        let others = try await store.locations(of: key).filter { !leaving.contains($0.container.id) }
        isReplaceable = try await isWhole(key, in: others)
        if !isReplaceable { break }
      }
      if isReplaceable { staying.append(pack) }
    }
    return staying
  }

  private func isWhole(_ key: ObjectKey, in places: [ObjectLocation]) async throws(StoreError) -> Bool {
    var object: [UInt8] = []
    for place in places {
      let piece = CopyPlan.Piece(key: key, location: place)
      guard let bytes = try await store.bytes(of: PieceRun(pieces: [piece]), in: place.container) else { continue }
      if store.proves(bytes.span, piece, using: &object) { return true }
    }
    return false
  }

  private func condemn(_ packs: [Pack], now: Int64) async throws(StoreError) {
    try await store.condemn(Set(packs.map(\.id)), time: now)
  }

  /// Takes the packs out of the index, then deletes them.
  private func delete(_ packs: [Pack]) async throws(StoreError) {
    guard !packs.isEmpty else { return }
    try await store.refresh()
    try await store.dropFromIndex(Set(packs.map(\.id)))
    for pack in packs { try await remove(StoreLayout.pack(pack.id)) }
  }

  private func remove(_ key: BackendKey) async throws(StoreError) {
    do { try await store.backend.delete(key) } catch { throw StoreError(error) }
  }

  private func clock() async throws(StoreError) -> Int64 {
    do { return try await store.backend.clock() } catch { throw StoreError(error) }
  }
}
