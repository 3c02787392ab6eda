import DVBackend
public import DVObject

/// What an erasure did in one store, or in a dry run would do.
public struct StoreErasureReport: Hashable, Sendable {
  /// Objects that go, and their bytes as they are stored.
  public var objects = 0
  public var bytes: UInt64 = 0
  /// Packs that are written anew without them.
  public var packs = 0
  /// Objects of the erased files that stay, because other contents need them.
  public var shared: Set<ObjectKey> = []
  /// Bytes of these before compression.
  public var sharedBytes: UInt64 = 0
  /// Roots that said that an erased file is complete, and do not any more.
  public var roots = 0
  /// Files that a repair set aside, which may hold what was erased: only a person removes them.
  public var quarantined = 0

  public init() {}
}

/// Takes files out of a store for good: every object of theirs that nothing else needs, from every pack.
///
///     1  mark what all other contents need
///     2  find the packs with objects of the files that are not marked, also packs that no index names
///     3  copy all else of them into new packs
///     4  on a remote: condemn them, read the roots anew, mark again, and copy what is needed by then
///     5  take the packs out of the index; delete them
///     6  look again, because somebody may have merged or pushed meanwhile
///
/// On a remote this is a garbage collection without its grace, and keeps to its order: see `docs/gc.md`. Killed anywhere, it can be run
/// again.
public struct StoreErasure: Sendable {
  /// Who else may be at work in the store.
  public enum Mode: Sendable {
    /// Nobody: the caller holds the exclusive lock, and knows what is needed.
    case local(keeping: [TransferRoot])
    /// Anybody. What is needed is what the roots say.
    case remote
  }

  private let store: ObjectStore
  private let oids: Set<ObjectID>
  private let keys: Set<ObjectKey>
  private let mode: Mode
  private let helper: ObjectStore?

  private static let roundLimit = 8

  /// - Parameters:
  ///   - oids: the files.
  ///   - objects: what they are made of.
  ///   - helper: a store to read nodes and lists from, as far as it has them.
  public init(
    in store: ObjectStore, of oids: Set<ObjectID>, _ objects: ErasedObjects, _ mode: Mode, readingFrom helper: ObjectStore? = nil
  ) {
    self.store = store
    self.oids = oids
    keys = objects.keys
    self.mode = mode
    self.helper = helper
  }

  /// Carries it out.
  ///
  /// - Throws: ``StoreError``, before anything is changed if the store is damaged or needs a newer dv; `busy` if others keep writing what
  ///   is to go.
  public func run(dryRun: Bool = false) async throws -> StoreErasureReport {
    if !dryRun, let refusal = store.writeRefusal ?? store.collectionRefusal { throw refusal }
    var report = StoreErasureReport()
    for round in 0..<Self.roundLimit {
      try await store.refresh()
      if let segment = store.damagedSegments.first {
        throw StoreError(.corrupt, "The index of \(store.name) is damaged, so nothing was erased: \(segment.message)")
      }
      let live = try await mark()
      let found = try await find(live)
      if round == 0 || !found.containers.isEmpty {
        report.objects += found.count
        report.bytes += found.bytes
        report.packs += found.containers.count
        report.shared = found.shared
        report.sharedBytes = found.sharedBytes
      }
      if dryRun || found.containers.isEmpty {
        if !dryRun { try await removeNames(&report) }
        report.quarantined = try await quarantined()
        return report
      }
      try await rewrite(found, live)
    }
    throw StoreError(.busy, "Others keep writing to \(store.name) what is to be erased. Run 'dv erase' again.")
  }

  // MARK: - Looking

  /// Marks what all contents but the erased ones need.
  private func mark() async throws -> LiveSet {
    var marking = Marking(stores: [helper, store].compactMap(\.self), without: oids)
    switch mode {
    case .local(let roots): try await marking.mark(roots)
    case .remote:
      // Believed or not, retired or not: until a root is gone, somebody may rely on it.
      let ledger = try await RootLedger(of: store, isThorough: true)
      try await store.refresh()
      let roots = ledger.roots.items.reduce(into: Set<RootRecord.Root>()) { $0.formUnion($1.record.roots) }
      try await marking.mark(roots.sorted().map { TransferRoot($0) })
    }
    // Below what is damaged nobody knows what is needed. What was never fetched needs nothing from here.
    if let finding = marking.unreadable.first(where: \.isCorrupt) {
      throw StoreError(
        .corrupt, "The \(finding.key) of '\(finding.label)' in \(store.name) is damaged, so nobody knows what it needs. Nothing was erased: run 'dv repair' first.")
    }
    if case .remote = mode, let finding = marking.unreadable.first {
      throw StoreError(
        .corrupt, "The \(finding.key) of '\(finding.label)' is missing in \(store.name), so nobody knows what it needs. Nothing was erased: run 'dv repair' on it first.")
    }
    return marking.live
  }

  private struct Found {
    /// What holds something that is to go; `true` for those that the index names.
    var containers: [IndexContainer: Bool] = [:]
    var count = 0
    var bytes: UInt64 = 0
    var shared: Set<ObjectKey> = []
    var sharedBytes: UInt64 = 0
  }

  private func find(_ live: LiveSet) async throws -> Found {
    let doomed = keys.filter { !live.needs($0) }
    var found = Found()
    var gone: Set<ObjectKey> = []
    for segment in store.index.all {
      let containers = segment.head.containers
      try await segment.forEachEntry(from: store.backend) { entry in
        guard keys.contains(entry.key) else { return }
        if doomed.contains(entry.key) {
          found.containers[containers[entry.container]] = true
          if gone.insert(entry.key).inserted { found.count += entry.key.kind.isHint ? 0 : 1 }
          found.bytes += UInt64(entry.storedLength)
        } else if !entry.key.kind.isHint, found.shared.insert(entry.key).inserted {
          found.sharedBytes += UInt64(entry.length)
        }
      }
    }
    // Packs that no index names: of killed sessions, of pushes under way, or left by an erasure that was killed.
    var named: Set<ObjectID> = []
    for segment in store.index.all { for container in segment.head.containers { named.insert(container.id) } }
    for entry in try await store.list(StoreLayout.packs) {
      guard let id = StoreLayout.pack(from: entry.key), !named.contains(id) else { continue }
      let container = IndexContainer(kind: .pack, id: id, size: entry.size)
      guard let table = try? await store.table(of: container) else { continue }
      for row in table.entries where doomed.contains(row.key) {
        found.containers[container] = false
        if gone.insert(row.key).inserted { found.count += row.key.kind.isHint ? 0 : 1 }
        found.bytes += UInt64(row.storedLength)
      }
    }
    for oid in oids {
      let file = StoreLayout.container(IndexContainer(kind: .wholeFile, id: oid, size: 0))
      guard let size = try await size(of: file) else { continue }
      found.containers[IndexContainer(kind: .wholeFile, id: oid, size: size)] = false
    }
    return found
  }

  private func quarantined() async throws -> Int {
    return try await store.list(StoreLayout.quarantine).count
  }

  // MARK: - Acting

  private func rewrite(_ found: Found, _ first: LiveSet) async throws {
    let leaving = Set(found.containers.keys.map(\.id))
    let condemned = try await CondemnedList(of: store).packs
    defer { store.index.condemn([]) }
    // Copies rely on nothing that is leaving.
    store.index.condemn(condemned.union(leaving))
    let packs = found.containers.filter { $0.key.kind == .pack && $0.value }.keys.sorted { $0.id < $1.id }
    try await copy(from: packs, first)
    if case .remote = mode {
      try await store.condemn(leaving, time: try await clock())
      for attempt in 0... {
        // A push may have made something complete that relies on what is leaving.
        let live = try await mark()
        store.index.condemn(try await CondemnedList(of: store).packs.union(leaving))
        let needed = try await self.needed(from: leaving, live)
        let lacking = try await store.lacking(needed, outside: try await CondemnedList(of: store).packs.union(leaving))
        if lacking.isEmpty { break }
        guard attempt < Self.roundLimit else {
          throw StoreError(.busy, "Others keep pushing to \(store.name) what relies on packs that are rewritten. Run 'dv erase' again.")
        }
        try await copy(lacking.sorted(), mustBeThere: live)
      }
    }
    for attempt in 0..<8 {
      do throws(StoreError) {
        try await store.refresh()
        try await store.dropFromIndex(leaving)
        break
      } catch {
        guard error.code == .missing, attempt < 7 else { throw error }
      }
    }
    do { try await store.backend.delete(found.containers.keys.map { StoreLayout.container($0) }) } catch { throw StoreError(error) }
  }

  /// Copies everything out of packs but what is erased, neighbours together, as it is stored.
  private func copy(from packs: [IndexContainer], _ live: LiveSet) async throws {
    let writer = ObjectWriter(store: store, isPush: true)
    var doubtful: [ObjectKey] = []
    var object: [UInt8] = []
    for pack in packs {
      try Task.checkCancellation()
      guard let table = try? await store.table(of: pack) else {
        doubtful += try await needed(from: [pack.id], live)
        continue
      }
      var pieces: [ObjectKey: CopyPlan.Piece] = [:]
      for row in table.entries where !row.key.kind.isHint && (!keys.contains(row.key) || live.needs(row.key)) {
        pieces[row.key] = CopyPlan.Piece(key: row.key, location: ObjectLocation(row, in: pack))
      }
      let sorted = pieces.keys.sorted()
      let wanted = zip(sorted, try await writer.claim(ascending: sorted)).compactMap { $1 ? pieces[$0] : nil }
      for run in CopyPlan(wanted).groups.flatMap({ PieceRun.cut($0.pieces[...]) }) {
        guard let bytes = try await store.bytes(of: run, in: pack) else {
          doubtful += run.pieces.map(\.key)
          continue
        }
        for piece in run.pieces {
          let start = Int(piece.location.offset - run.range.lowerBound)
          let stored = bytes.span.extracting(start..<(start + piece.location.storedLength))
          guard store.proves(stored, piece, using: &object) else {
            doubtful.append(piece.key)
            continue
          }
          try writer.append(piece.key, codec: piece.location.codec, stored: stored, length: piece.location.length)
        }
      }
    }
    for key in Set(doubtful).sorted() { try await copy(key, mustBeThere: live.needs(key), into: writer) }
    _ = try await writer.finish()
  }

  private func copy(_ keys: [ObjectKey], mustBeThere live: LiveSet) async throws {
    let writer = ObjectWriter(store: store, isPush: true)
    for key in keys where try await writer.claim(key) { try await copy(key, mustBeThere: live.needs(key), into: writer) }
    _ = try await writer.finish()
  }

  /// Copies one object that was claimed, from whichever place has it whole.
  private func copy(_ key: ObjectKey, mustBeThere: Bool, into writer: ObjectWriter) async throws(StoreError) {
    do throws(StoreError) {
      let bytes = try await store.read(key)
      var memory = CodecMemory()
      try writer.put(bytes.span, as: key, memory: &memory)
    } catch {
      guard error.code == .corrupt || error.code == .missing, !mustBeThere else { throw error }
      // Nothing needs it, and nobody has it: it stays out of the new index.
      writer.omit([key])
    }
  }

  /// Returns what is needed of what the index has in some packs, but for hints.
  private func needed(from packs: Set<ObjectID>, _ live: LiveSet) async throws(StoreError) -> [ObjectKey] {
    var keys: Set<ObjectKey> = []
    for segment in store.index.all where segment.head.containers.contains(where: { packs.contains($0.id) }) {
      let containers = segment.head.containers
      try await segment.forEachEntry(from: store.backend) { entry in
        if packs.contains(containers[entry.container].id), !entry.key.kind.isHint, live.contains(entry.key) { keys.insert(entry.key) }
      }
    }
    return keys.sorted()
  }

  /// Takes back what says that the files are there: roots on a remote, and locators.
  private func removeNames(_ report: inout StoreErasureReport) async throws {
    if case .remote = mode {
      let retirement = try await RootRetirement(of: store)
      let contents = retirement.contents.filter { $0.kind == .file && oids.contains($0.oid) }
      if !contents.isEmpty { report.roots = try await retirement.retire(contents).contents }
    }
    if store.backend.answersAtOnce { return }
    do { try await store.backend.delete(oids.sorted().map { StoreLayout.locator(.file, $0) }) } catch { throw StoreError(error) }
    try? await BackendListing.publish(on: store.backend)
  }

  private func size(of key: BackendKey) async throws(StoreError) -> UInt64? {
    do { return try await store.backend.size(of: key) } catch { throw StoreError(error) }
  }

  private func clock() async throws(StoreError) -> Int64 {
    do { return try await store.backend.clock() } catch { throw StoreError(error) }
  }
}
