import DVBackend
import DVFile
public import DVObject

/// What a repair means to do.
public struct RepairPlan: Sendable {
  /// Where the copies of some lost objects are.
  public struct Source: Sendable {
    public let name: String
    public let keys: [ObjectKey]
  }

  /// Damaged packs, by their keys; what is whole in them is saved first.
  public internal(set) var packs: [String] = []
  /// Objects that are saved out of damaged packs, at most.
  public internal(set) var salvaged = 0
  /// Index segments to make again from packs.
  public internal(set) var segments: [String] = []
  /// Packs that no index names and that hold something needed.
  public internal(set) var adopted = 0
  /// Packs that are gone: the index is to forget them.
  public internal(set) var missingPacks = 0
  /// Damaged records.
  public internal(set) var records: [String] = []
  public internal(set) var wholeFiles: [String] = []
  /// Damaged locators and listings.
  public internal(set) var hints: [String] = []
  /// Listings that are written anew because they are not of what the store holds.
  public internal(set) var staleListings = 0
  public internal(set) var isFormatDamaged = false
  /// What other places have of what is lost.
  public internal(set) var sources: [Source] = []
  /// What no other store has.
  public internal(set) var unhealed: [ObjectKey] = []

  /// Whether there is nothing to do.
  public var isEmpty: Bool {
    packs.isEmpty && segments.isEmpty && adopted == 0 && missingPacks == 0 && records.isEmpty && wholeFiles.isEmpty
      && hints.isEmpty && staleListings == 0 && !isFormatDamaged && sources.isEmpty && unhealed.isEmpty
  }
}

/// What a repair did.
public struct RepairOutcome: Sendable {
  /// Objects written again, and the packs they are in.
  public internal(set) var objects = 0
  public internal(set) var bytes: UInt64 = 0
  public internal(set) var packs = 0
  /// Files set aside under `quarantine/`.
  public internal(set) var quarantined = 0
  /// Contents that a new root record names in place of damaged ones.
  public internal(set) var roots = 0

  mutating func add(_ written: WriteReport) {
    objects += written.objects
    bytes += written.storedBytes
    packs += written.packs
  }

  /// Adds what another round did.
  public mutating func add(_ other: RepairOutcome) {
    objects += other.objects
    bytes += other.bytes
    packs += other.packs
    quarantined += other.quarantined
    roots += other.roots
  }
}

/// Makes good what a check found, as far as copies are to be had.
///
///     1  format, and records that only delay a collection     aside, and written anew where needed
///     2  index segments                                       made again from the tables of packs
///     3  objects                                              saved out of damaged packs, copied from other places,
///                                                             in new packs with a new index
///     4  index                                                forgets the damaged packs, and those that are gone
///     5  root records                                         written again, if all they name is there
///     6  damaged packs, segments, records, hints, files       aside; hints are written again
///
/// What is new is durable before what is old is taken away, and nothing is deleted. Killed anywhere, it can be run again.
public struct StoreRepair: Sendable {
  private let store: ObjectStore
  private let check: StoreCheckReport
  private let sources: [ObjectStore]
  private let claimed: [TransferRoot]

  /// - Parameters:
  ///   - check: what was found; the fuller, the better.
  ///   - sources: other stores, in the order in which they are asked.
  ///   - claimed: contents that are known to have been complete on this remote.
  public init(
    of store: ObjectStore, finding check: StoreCheckReport, from sources: [ObjectStore], claiming claimed: [TransferRoot]
  ) {
    self.store = store
    self.check = check
    self.sources = sources
    self.claimed = claimed
  }

  // MARK: - Deciding

  /// Decides what to do. Reads what other places have of what is lost.
  public func plan() async throws -> RepairPlan {
    var plan = RepairPlan()
    plan.isFormatDamaged = check.isFormatDamaged
    plan.packs = check.badPacks.map { StoreLayout.pack($0.container.id).text }
    plan.salvaged = check.badPacks.reduce(0) { $0 + $1.entries.count { !$0.key.kind.isHint } }
    plan.segments = check.damagedSegments.map(\.key.text)
    plan.missingPacks = check.missingPacks.count
    plan.records = check.records?.damaged.map(\.key.text) ?? []
    plan.wholeFiles = check.badFiles.map(\.text)
    plan.hints = damagedHints.map(\.text)
    plan.staleListings = check.staleListings.count
    let adopted = try await adoptable()
    plan.adopted = adopted.packs.count
    var open = check.lostKeys.filter { !adopted.keys.contains($0) }
    for source in sources where !open.isEmpty {
      let found = try await source.goodCopies(of: open)
      if found.isEmpty { continue }
      plan.sources.append(RepairPlan.Source(name: source.name, keys: found.sorted()))
      open.removeAll { found.contains($0) }
    }
    plan.unhealed = open
    return plan
  }

  /// Returns the packs that no index names, if one of them holds what is needed, and what they hold of it.
  private func adoptable() async throws -> (packs: [IndexContainer], keys: Set<ObjectKey>) {
    guard !check.unnamed.isEmpty else { return ([], []) }
    let bad = Set(check.badPacks.map(\.container.id))
    let candidates = check.unindexed.filter { !bad.contains($0.id) }.sorted { $0.id < $1.id }
    var keys: Set<ObjectKey> = []
    for pack in candidates {
      guard let table = try? await store.table(of: pack) else { continue }
      for entry in table.entries where check.unnamed.contains(entry.key) { keys.insert(entry.key) }
    }
    // All of them: what is found in one may name what is in the next.
    return keys.isEmpty ? ([], []) : (candidates, keys)
  }

  // MARK: - Acting

  /// Carries a plan out.
  ///
  /// - Parameter fromElsewhere: gets what no store has, as from files of a working tree, and writes what it can.
  public func run(
    _ plan: RepairPlan, fromElsewhere: (_ keys: Set<ObjectKey>, ObjectWriter) async throws -> Void
  ) async throws -> RepairOutcome {
    if let refusal = store.writeRefusal { throw refusal }
    var outcome = RepairOutcome()
    let quarantine = Quarantine(store: store)
    if check.isFormatDamaged {
      if try await quarantine.move(FormatScan.key) { outcome.quarantined += 1 }
      try await put(StoreFormat.current.encoded(), at: FormatScan.key)
    }
    for record in check.records?.damaged ?? [] where record.folder != StoreLayout.roots {
      if try await quarantine.move(record.key) { outcome.quarantined += 1 }
    }
    let bad = Set(check.badPacks.map(\.container.id))
    try await rebuildIndex(without: bad)
    try await heal(plan, without: bad, &outcome, fromElsewhere)
    try await forget(bad.union(check.missingPacks))
    try await complete(&outcome)
    outcome.roots = try await rewriteRoots()
    var aside = check.badPacks.map { StoreLayout.pack($0.container.id) } + check.damagedSegments.map(\.key)
    aside += check.badFiles + damagedHints
    aside += check.records?.damaged.filter { $0.folder == StoreLayout.roots }.map(\.key) ?? []
    for key in aside {
      if try await quarantine.move(key) { outcome.quarantined += 1 }
    }
    store.index.condemn([])
    try await store.refresh()
    await writeHints()
    return outcome
  }

  private var damagedHints: [BackendKey] {
    (check.hints?.damaged.map(\.key) ?? []) + (check.hints?.damagedListings ?? [])
  }

  /// Writes new locators in place of damaged ones, and the listing as the store is now. Readers do without what fails.
  private func writeHints() async {
    guard let hints = check.hints else { return }
    await store.writeLocators(of: hints.damaged.map { TransferRoot(kind: $0.kind, oid: $0.oid, size: 0, label: "") })
    if hints.hasListings { try? await BackendListing.publish(on: store.backend) }
  }

  private func put(_ bytes: [UInt8], at key: BackendKey) async throws(StoreError) {
    do { try await store.backend.put(bytes, at: key) } catch { throw StoreError(error) }
  }

  /// Makes the damaged segments again, and indexes packs that hold something needed.
  private func rebuildIndex(without bad: Set<ObjectID>) async throws {
    let (adopted, _) = try await adoptable()
    let wrong = Set(check.damagedSegments.map(\.id))
    // A segment that names what packs do not hold is read as damaged from here on.
    for segment in store.index.all where wrong.contains(segment.id) {
      store.index.note(DamagedSegment(segment, message: "it names what packs do not hold"))
    }
    try await store.refresh()
    let damaged = store.index.damage.current
    if damaged.isEmpty, adopted.isEmpty { return }
    let healthy = store.index.all.filter { segment in !store.index.damage.standIns.contains { $0.id == segment.id } }
    var packs = Set(try await store.index.packs(of: damaged, beside: healthy))
    packs.formUnion(adopted)
    var superseded = Set(damaged.map { IndexSupersession(kind: .segment, id: $0.id) })
    for segment in damaged { superseded.formUnion(segment.head?.superseded.filter { $0.kind == .segment } ?? []) }
    // Damaged packs too, as far as their tables can be read: until all of them that can be had is in new packs, what they held must
    // be known as lost. Forgotten, it would look as if it had never been here, and a repair that goes on after a kill would not get it.
    var named: [IndexContainer] = []
    for pack in packs.sorted(by: { $0.id < $1.id }) where !check.missingPacks.contains(pack.id) {
      if bad.contains(pack.id), (try? await store.table(of: pack)) == nil { continue }
      named.append(pack)
    }
    try await IndexRebuild(store: store).run(named, superseding: Array(superseded))
    try await store.refresh()
  }

  /// Writes again what damaged packs hold that is whole, and what is lost and can be had.
  private func heal(
    _ plan: RepairPlan, without bad: Set<ObjectID>, _ outcome: inout RepairOutcome,
    _ fromElsewhere: (Set<ObjectKey>, ObjectWriter) async throws -> Void
  ) async throws {
    let condemned = try await CondemnedList(of: store).packs
    store.index.condemn(condemned.union(bad).union(check.missingPacks))
    let writer = ObjectWriter(addingTo: store)
    for scan in check.badPacks { try await salvage(scan, writer) }
    for source in plan.sources {
      guard let store = sources.first(where: { $0.name == source.name }) else { continue }
      try await store.forEachGoodCopy(of: source.keys) { key, bytes in
        var memory = CodecMemory()
        if try await writer.claim(key) { try writer.put(bytes.span, as: key, memory: &memory) }
      }
    }
    if !plan.unhealed.isEmpty { try await fromElsewhere(Set(plan.unhealed), writer) }
    outcome.add(try await writer.finish())
  }

  /// Copies what the contents lack still: below a node that was not there, nobody knew what is needed.
  private func complete(_ outcome: inout RepairOutcome) async throws {
    var tried = Set(check.lost.keys)
    while true {
      var closure = ClosureCheck(of: store, lost: [:], isFull: false)
      try await closure.check(Array(check.contents.prefix(check.wholeCount)), isWhole: true)
      let open = closure.failures.filter { $0.value.isMissing && !tried.contains($0.key) }.keys.sorted()
      if open.isEmpty { return }
      tried.formUnion(open)
      let writer = ObjectWriter(addingTo: store)
      for source in sources {
        try await source.forEachGoodCopy(of: open) { key, bytes in
          var memory = CodecMemory()
          if try await writer.claim(key) { try writer.put(bytes.span, as: key, memory: &memory) }
        }
      }
      outcome.add(try await writer.finish())
    }
  }

  /// Copies the objects of a damaged pack that are whole, as they are stored.
  private func salvage(_ scan: PackScan, _ writer: ObjectWriter) async throws {
    var pieces: [ObjectKey: CopyPlan.Piece] = [:]
    // A hint says where things lie as seen from its own pack.
    for entry in scan.entries where !entry.key.kind.isHint {
      pieces[entry.key] = CopyPlan.Piece(key: entry.key, location: ObjectLocation(entry, in: scan.container))
    }
    var keys = pieces.keys.sorted()
    // What no index names was left out on purpose, unless the index itself is what was lost.
    if check.damagedSegments.isEmpty, check.unnamed.isEmpty {
      var isNamed = [Bool](repeating: false, count: keys.count)
      try await store.index.locations(ofAll: keys).forEachObject { number, _ in isNamed[number] = true }
      keys = zip(keys, isNamed).filter(\.1).map(\.0)
    }
    let claims = try await writer.claim(ascending: keys)
    let wanted = zip(keys, claims).compactMap { $1 ? pieces[$0] : nil }
    var object: [UInt8] = []
    for run in CopyPlan(wanted).groups.flatMap({ PieceRun.cut($0.pieces[...]) }) {
      try Task.checkCancellation()
      guard let bytes = try await store.bytes(of: run, in: scan.container) else {
        throw StoreError(.changed, "'\(StoreLayout.pack(scan.container.id))' of \(store.name) changed during the repair. Run it again.")
      }
      for piece in run.pieces {
        let start = Int(piece.location.offset - run.range.lowerBound)
        let stored = bytes.span.extracting(start..<(start + piece.location.storedLength))
        guard store.proves(stored, piece, using: &object) else {
          throw StoreError(
            .changed, "'\(StoreLayout.pack(scan.container.id))' of \(store.name) changed during the repair. Run it again.")
        }
        try writer.append(piece.key, codec: piece.location.codec, stored: stored, length: piece.location.length)
      }
    }
  }

  /// Takes packs out of the index, beside others that merge segments at the same time.
  private func forget(_ packs: Set<ObjectID>) async throws {
    if packs.isEmpty { return }
    for attempt in 0..<4 {
      try await store.refresh()
      do throws(StoreError) {
        try await store.dropFromIndex(packs)
        return
      } catch {
        guard error.code == .missing, attempt < 3 else { throw error }
      }
    }
  }

  /// Writes a root record of what damaged ones named, as far as it is there.
  ///
  /// - Returns: how many contents it names.
  private func rewriteRoots() async throws -> Int {
    guard let records = check.records else { return 0 }
    let damaged = records.damaged.filter { $0.folder == StoreLayout.roots }
    if damaged.isEmpty { return 0 }
    var candidates = Set(claimed.map(RootRecord.Root.init))
    for record in damaged { candidates.formUnion(record.candidates) }
    candidates.subtract(records.roots.keys)
    var complete: Set<RootRecord.Root> = []
    for candidate in candidates.sorted() {
      let root = TransferRoot(kind: candidate.kind, oid: candidate.oid, size: candidate.size, label: "")
      // Holds the content to its size as well: a line of a damaged record may have another.
      var closure = ClosureCheck(of: store, lost: [:], isFull: false)
      try await closure.check([root], isWhole: true)
      if closure.failures.isEmpty { complete.insert(candidate) }
    }
    if complete.isEmpty { return 0 }
    let now: Int64
    do { now = try await store.backend.clock() } catch { throw StoreError(error) }
    let all = complete.sorted()
    for start in stride(from: 0, to: all.count, by: RootRecord.rootLimit) {
      let part = Set(all[start..<min(start + RootRecord.rootLimit, all.count)])
      let bytes = RootRecord(kind: .root, time: UInt64(max(0, now)), roots: part).encoded()
      let ulid = ULID(seconds: Double(now))
      try await put(bytes, at: StoreLayout.record(StoreLayout.roots, ulid: ulid, id: ObjectID(hashing: bytes.span)))
    }
    return complete.count
  }
}
