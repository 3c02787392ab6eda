import DVBackend
import DVFile
import DVObject

/// What a garbage collection did, or with `dryRun` would do.
public struct CollectionReport: Hashable, Sendable {
  /// Objects that are needed.
  public var liveObjects = 0
  /// Packs condemned: they go after the grace, if nothing needs them then.
  public var condemnedPacks = 0
  public var condemnedBytes: UInt64 = 0
  /// Packs deleted.
  public var deletedPacks = 0
  public var deletedBytes: UInt64 = 0
  /// Bytes copied out of packs that were mostly garbage.
  public var repackedBytes: UInt64 = 0
  /// Paths whose data is not all in the store: kept what there is.
  public var incomplete: [String] = []

  public init() {}
}

/// Frees what nothing needs any more in a store that its clones reach directly.
///
/// Two steps, because other processes may be adding objects right now and rely on what they find: a pack without a needed
/// object is first *condemned*, from when on nobody relies on it; the collection that finds it condemned for longer than the
/// grace, and still not needed, deletes it. With ``Mode/now`` the caller holds the store's exclusive lock, so that nobody is
/// adding, and both steps are one.
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

  public init(store: ObjectStore, mode: Mode, dryRun: Bool = false) {
    self.store = store
    self.mode = mode
    self.dryRun = dryRun
  }

  /// Collects.
  ///
  /// - Parameter roots: everything that must be kept, from every clone that uses the store.
  public func run(keeping roots: [TransferRoot]) async throws(StoreError) -> CollectionReport {
    try await store.refresh()
    var report = CollectionReport()
    let now = try await clock()
    let condemned = try await CondemnedList(of: store)

    var marking = Marking(store: store)
    for root in roots { try await marking.mark(root) }
    report.liveObjects = marking.live.count
    for finding in marking.unreadable where !report.incomplete.contains(finding.label) {
      report.incomplete.append(finding.label)
    }

    let packs = try await survey(live: marking.live)
    var dead: [PackSurvey] = []
    var sparse: [PackSurvey] = []
    for pack in packs where isOldEnough(pack, now: now) {
      if pack.liveBytes == 0 {
        dead.append(pack)
      } else if Double(pack.liveBytes) < Self.repackBelow * Double(pack.size) {
        sparse.append(pack)
      }
    }

    // What was condemned long enough ago and is dead still.
    var due: Set<ObjectID> = []
    for item in condemned.items where isDue(item, now: now) { due.formUnion(item.packs) }
    if mode == .now { due.formUnion(dead.map(\.id)) }
    let doomed = dead.filter { due.contains($0.id) }
    let fresh = dead.filter { !condemned.packs.contains($0.id) && !due.contains($0.id) }
    report.deletedPacks = doomed.count
    report.deletedBytes = doomed.reduce(0) { $0 + $1.size }
    report.condemnedPacks = fresh.count
    report.condemnedBytes = fresh.reduce(0) { $0 + $1.size }
    report.repackedBytes = sparse.reduce(0) { $0 + $1.liveBytes }
    if dryRun { return report }

    if !sparse.isEmpty {
      let isCopied = try await repack(sparse, live: marking.live)
      if !isCopied { sparse = [] }
    }
    // A sparse pack is dead once it is copied; it waits like the others, unless nobody else can be there.
    var leaving = doomed
    if mode == .now { leaving += sparse } else { try await condemn(fresh + sparse, now: now) }
    try await delete(leaving)
    for item in condemned.items {
      if isDue(item, now: now) { try await remove(item.key) }
    }
    return report
  }

  // MARK: Deciding

  private struct PackSurvey: Hashable, Sendable {
    let id: ObjectID
    let size: UInt64
    /// Seconds since 1970.
    let modified: Int64
    var liveBytes: UInt64 = 0
  }

  /// Counts the needed bytes of every pack that is there, indexed or not.
  private func survey(live: LiveSet) async throws(StoreError) -> [PackSurvey] {
    var surveys: [ObjectID: PackSurvey] = [:]
    do {
      for entry in try await store.backend.list(StoreLayout.packs) {
        guard let id = StoreLayout.pack(from: entry.key) else { continue }
        surveys[id] = PackSurvey(id: id, size: entry.size, modified: (entry.modified ?? .max) / 1_000_000_000)
      }
    } catch {
      throw StoreError(error)
    }
    for segment in store.index.all {
      let containers = segment.head.containers
      try await segment.forEachEntry(from: store.backend) { entry in
        if live.contains(entry.key) { surveys[containers[entry.container].id]?.liveBytes += UInt64(entry.storedLength) }
      }
    }
    return surveys.values.sorted { $0.id < $1.id }
  }

  /// Packs younger than the grace may belong to a session that is not finished.
  private func isOldEnough(_ pack: PackSurvey, now: Int64) -> Bool {
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

  /// Copies what is needed out of packs.
  ///
  /// - Returns: whether all of it was copied; if not, for damage, the packs are to stay.
  private func repack(_ sparse: [PackSurvey], live: LiveSet) async throws(StoreError) -> Bool {
    // Copies rely on nothing that is leaving.
    store.index.condemn(Set(sparse.map(\.id)))
    let leaving = Set(sparse.map(\.id))
    let writer = ObjectWriter(store: store)
    var keys: Set<ObjectKey> = []
    for segment in store.index.all {
      let containers = segment.head.containers
      try await segment.forEachEntry(from: store.backend) { entry in
        if leaving.contains(containers[entry.container].id), live.contains(entry.key) { keys.insert(entry.key) }
      }
    }
    var isComplete = true
    for key in keys.sorted() {
      let isCopied = try await copy(key, into: writer)
      isComplete = isComplete && isCopied
    }
    _ = try await writer.finish()
    store.index.condemn([])
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

  private func condemn(_ packs: [PackSurvey], now: Int64) async throws(StoreError) {
    guard !packs.isEmpty else { return }
    let bytes = CondemnedList.encode(time: UInt64(max(0, now)), packs: Set(packs.map(\.id)))
    let key = StoreLayout.record(
      StoreLayout.condemned, ulid: ULID(seconds: Double(now)), id: ObjectID(hashing: bytes.span))
    do { try await store.backend.put(bytes, at: key) } catch { throw StoreError(error) }
  }

  /// Takes the packs out of the index, then deletes them.
  private func delete(_ packs: [PackSurvey]) async throws(StoreError) {
    guard !packs.isEmpty else { return }
    let ids = Set(packs.map(\.id))
    try await store.refresh()
    for segment in store.index.all where segment.head.containers.contains(where: { ids.contains($0.id) }) {
      var merge = SegmentMerge(store: store)
      merge.dropped = ids
      try await merge.run([segment], level: segment.level)
    }
    for pack in packs { try await remove(StoreLayout.pack(pack.id)) }
  }

  private func remove(_ key: BackendKey) async throws(StoreError) {
    do { try await store.backend.delete(key) } catch { throw StoreError(error) }
  }

  private func clock() async throws(StoreError) -> Int64 {
    do { return try await store.backend.clock() } catch { throw StoreError(error) }
  }
}
