import DVBackend
import DVObject

/// What a garbage collection of a remote did, or in a dry run would do.
public struct RemoteCollectionReport: Hashable, Sendable {
  /// Roots that are kept, and what they say is complete.
  public var roots = 0
  public var contents = 0
  /// Roots that were retired and are kept until the grace has passed.
  public var retiring = 0
  /// Roots that were retired before, deleted now.
  public var deletedRoots = 0
  /// Pushes that are under way, or were killed not long ago.
  public var pending = 0
  /// Killed pushes that were given up now, and those of which all traces were removed.
  public var givenUp = 0
  public var clearedPushes = 0
  /// Objects that are needed and there.
  public var liveObjects = 0
  public var packs = 0
  public var bytes: UInt64 = 0
  /// Packs condemned: they go after the grace.
  public var condemnedPacks = 0
  public var condemnedBytes: UInt64 = 0
  /// Packs that were condemned before and wait for the grace to pass.
  public var waitingPacks = 0
  public var waitingBytes: UInt64 = 0
  /// Packs that nothing needs and that are too young to be condemned.
  public var youngPacks = 0
  public var youngBytes: UInt64 = 0
  /// When the first of what waits may go, in seconds since 1970 by the remote's clock.
  public var nextDeletion: Int64?
  public var deletedPacks = 0
  public var deletedBytes: UInt64 = 0
  /// Bytes copied out of packs that were mostly garbage or were condemned, as they were stored.
  public var repackedBytes: UInt64 = 0
  /// Seconds since 1970 by the remote's clock.
  public var time: Int64 = 0

  public init() {}
}

/// Frees what no root of a remote needs any more, while others push to it and pull from it, without a lock.
///
/// Two steps, as in the local store: a pack without a needed object is *condemned*, from when on no push relies on it; a
/// collection that finds it condemned for longer than the grace deletes it, after having read everything again. A pack once
/// condemned is never taken back: if it holds something that is needed after all, that is copied out of it. What makes
/// this safe beside suspended pushes and other collections is written down in `docs/gc.md`.
///
/// Order of reading, on which the argument rests: retired, condemned, roots, pending, index, packs.
public struct RemoteCollection: Sendable {
  /// The shortest grace that users may choose for a remote, in seconds.
  public static let shortestGrace: Int64 = 86_400
  /// How far the remote's clock may be from this machine's, and a record's time ahead of it, in seconds.
  public static let clockTolerance: Int64 = 300

  private let store: ObjectStore
  private let local: ObjectStore?
  private let grace: Int64
  private let localTime: Int64?
  private let dryRun: Bool
  private let progress: @Sendable () -> Void

  /// - Parameters:
  ///   - local: a store to read nodes and lists from, as far as it has them.
  ///   - grace: in seconds; at least ``shortestGrace`` but in tests.
  ///   - localTime: this machine's clock, in seconds since 1970, to be compared with the remote's.
  public init(
    of store: ObjectStore, readingFrom local: ObjectStore? = nil, grace: UInt64, localTime: Int64?, dryRun: Bool = false
  ) {
    self.store = store
    self.local = local
    self.grace = Int64(clamping: grace)
    self.localTime = localTime
    self.dryRun = dryRun
    progress = {}
  }

  /// Collects.
  ///
  /// - Throws: ``StoreError`` before anything is changed if something cannot be read or understood, is damaged, or a clock is
  ///   wrong.
  public func run() async throws -> RemoteCollectionReport {
    if let refusal = store.writeRefusal ?? store.collectionRefusal { throw refusal }
    let now = try await clock()
    var report = RemoteCollectionReport()
    report.time = now
    try checkClock(now)
    try await checkNames()
    let retired = try await RetiredList(of: store)
    let condemned = try await CondemnedList(of: store)
    let ledger = try await RootLedger(of: store, isThorough: true)
    try checkTimes(retired, condemned, ledger, now)

    let roots = Roots(ledger, retired: retired, grace: grace, now: now)
    guard !roots.kept.isEmpty || !ledger.retired.roots.isEmpty else {
      throw StoreError(
        .corrupt,
        "\(store.name) has no record of what was pushed, so nobody knows what it needs. Nothing was removed. If records were "
          + "lost, 'dv push' from a clone with the data writes them again.")
    }
    report.roots = roots.kept.count
    report.contents = roots.trusted.count
    report.retiring = roots.retiring
    report.pending = ledger.pending.count

    let survey = try await survey(roots, condemned)
    report.liveObjects = survey.liveObjects
    report.packs = survey.packs.count
    report.bytes = survey.packs.reduce(0) { $0 + $1.size }
    let plan = Plan(survey, condemned, grace: grace, now: now)
    plan.fill(&report, condemned, grace: grace, now: now)
    report.deletedRoots = roots.over.count
    if dryRun { return report }

    try await adopt(ledger)
    report.repackedBytes = try await copy(plan, survey, condemned)
    try await condemnAll(plan, now: try await clock())
    try await delete(plan, survey, condemned, &report)
    try await remove(roots.over.map(\.key))
    try await endPushes(ledger, retired, now: now, &report)
    try await tidy(condemned, retired, ledger, plan, survey, roots, now: now)
    return report
  }

  // MARK: Refusing

  private func checkClock(_ now: Int64) throws(StoreError) {
    guard let localTime, abs(now - localTime) > Self.clockTolerance else { return }
    throw StoreError(
      .other,
      "The clock of \(store.name) is \(abs(now - localTime)) seconds \(now > localTime ? "ahead of" : "behind") this machine's. "
        + "Nothing was removed: put the wrong one right.")
  }

  /// Refuses a store with records of the future: some clock was wrong, and nobody knows how long ago anything was.
  private func checkTimes(
    _ retired: RetiredList, _ condemned: CondemnedList, _ ledger: RootLedger, _ now: Int64
  ) throws(StoreError) {
    var times = retired.items.map { ($0.key, Int64(clamping: $0.time)) }
    times += condemned.items.map { ($0.key, Int64(clamping: $0.time)) }
    times += ledger.roots.items.map { ($0.key, max(Int64(clamping: $0.record.time), Int64($0.ulid.seconds))) }
    times += ledger.pending.flatMap { ulid, keys in keys.map { ($0, Int64(ulid.seconds)) } }
    guard let (key, time) = times.first(where: { $0.1 > now + Self.clockTolerance }) else { return }
    throw StoreError(
      .other,
      "'\(key)' of \(store.name) was written \(time - now) seconds in the future, by the remote's clock, so one that was asked "
        + "is wrong. Nothing was removed. Put the remote's clock right, or wait until that time has passed.")
  }

  /// Refuses a store with names in it that this dv does not understand.
  private func checkNames() async throws(StoreError) {
    for folder in [StoreLayout.roots, StoreLayout.pending, StoreLayout.retired, StoreLayout.gc, StoreLayout.index] {
      for entry in try await store.list(folder) {
        let isKnown =
          switch folder {
          case StoreLayout.index: StoreLayout.segment(from: entry.key) != nil
          case StoreLayout.gc: entry.key.text.hasPrefix(StoreLayout.condemned) && StoreLayout.record(from: entry.key) != nil
          default: StoreLayout.record(from: entry.key) != nil
          }
        if !isKnown { throw unknown(entry.key) }
      }
    }
  }

  private func unknown(_ key: BackendKey) -> StoreError {
    StoreError(
      .format,
      "'\(key)' of \(store.name) is not what this dv writes there. Nothing was removed. Install a newer dv, or take it away if "
        + "nothing needs it.")
  }

  private static func refusal(_ what: String, of name: String) -> StoreError {
    StoreError(
      .corrupt, "\(what) in \(name), so nobody knows what it needs. Nothing was removed: run 'dv repair' on it first.")
  }

  // MARK: Looking

  /// The roots by what is to become of them.
  private struct Roots {
    /// Those that are kept.
    var kept: [RecordList.Item] = []
    /// Those of which the grace since their retirement has passed.
    var over: [RecordList.Item] = []
    var retiring = 0
    /// What must be complete.
    var trusted: Set<RootRecord.Root> = []
    /// What pushes under way, or killed ones, may make complete.
    var doubtful: Set<RootRecord.Root> = []

    init(_ ledger: RootLedger, retired: RetiredList, grace: Int64, now: Int64) {
      var end: [String: Int64] = [:]
      for item in retired.items {
        let time = Int64(clamping: item.time)
        for name in item.roots { end[name] = min(end[name] ?? .max, time) }
      }
      let believed = Set(ledger.believed.map(\.key))
      let dead = ledger.retired.pushes
      for item in ledger.roots.items {
        if let time = end[item.name] {
          if now - time >= grace {
            over.append(item)
            continue
          }
          retiring += 1
        }
        kept.append(item)
        // One that is being retired was believed before, and nothing of it was taken away since.
        let isOver = ledger.pending[item.ulid] == nil && !dead.contains(item.ulid)
        let isTrusted = believed.contains(item.key) || (end[item.name] != nil && isOver)
        if isTrusted { trusted.formUnion(item.record.roots) } else { doubtful.formUnion(item.record.roots) }
      }
      doubtful.subtract(trusted)
    }
  }

  /// What somebody was promised is not in the index.
  private struct Lack: Error {
    let count: Int
  }

  private struct Pack: Hashable {
    let id: ObjectID
    let size: UInt64
    /// Seconds since 1970.
    let modified: Int64
    /// Bytes of the pack that hold what is needed from it.
    var neededBytes: UInt64 = 0

    /// Whether most of it is garbage.
    var isSparse: Bool {
      let fixed = UInt64(PackHeader.byteCount + PackTable.trailerByteCount)
      return neededBytes > 0 && Double(neededBytes + fixed) < 0.5 * Double(size)
    }
  }

  private struct Survey {
    var packs: [Pack] = []
    /// What is needed, and the part of it that must be there.
    var live = LiveSet()
    var trusted = LiveSet()
    var liveObjects = 0
    /// Packs that the index names and that are not there, or not as long as they should be.
    var unsound: Set<ObjectID> = []
    /// Those of them that are not there.
    var gone: Set<ObjectID> = []
  }

  /// Marks what the roots need, and counts what is needed of every pack.
  private func survey(_ roots: Roots, _ condemned: CondemnedList) async throws -> Survey {
    for attempt in 0..<8 {
      do {
        return try await surveyOnce(roots, condemned)
      } catch let error as StoreError where error.code == .missing && attempt < 7 {
        // A segment was merged away meanwhile.
        continue
      } catch let lack as Lack {
        // A listing may leave out what came or went while it was made.
        if attempt < 2 { continue }
        throw StoreError(
          .corrupt,
          "\(lack.count) objects that pushed data needs are not in the index of \(store.name), so what else it needs may look like garbage. "
            + "Nothing was removed. 'dv fsck --remote' names them, 'dv repair --remote' makes them good; if they were erased, fetch the "
            + "commits that say so.")
      }
    }
    throw StoreError(.busy, "The index of \(store.name) keeps changing while it is read. Nothing was removed. Try again.")
  }

  private func surveyOnce(_ roots: Roots, _ condemned: CondemnedList) async throws -> Survey {
    // After the roots were read: what they need was indexed before.
    try await store.refresh()
    if let segment = store.damagedSegments.first {
      throw StoreError(.corrupt, "The index of \(store.name) is damaged, so nothing was removed: \(segment.message)")
    }
    store.index.condemn([])
    var marking = Marking(stores: [local, store].compactMap(\.self), optional: store.erased)
    try await marking.mark(roots.trusted.sorted().map { TransferRoot($0) })
    if let finding = marking.unreadable.first {
      throw Self.refusal("The \(finding.key) of '\(finding.label)' is \(finding.isCorrupt ? "damaged" : "missing")", of: store.name)
    }
    var survey = Survey()
    survey.trusted = marking.live
    var needs = marking.needs
    try await marking.mark(roots.doubtful.sorted().map { TransferRoot($0) })
    survey.live = marking.live
    var packs: [ObjectID: Pack] = [:]
    for entry in try await store.list(StoreLayout.packs) {
      guard let id = StoreLayout.pack(from: entry.key) else { throw unknown(entry.key) }
      guard let modified = entry.modified else {
        throw StoreError(
          .other, "\(store.name) does not tell when '\(entry.key)' was stored, so nobody knows how old it is. Nothing was removed.")
      }
      packs[id] = Pack(id: id, size: entry.size, modified: modified / 1_000_000_000)
    }
    for segment in store.index.all {
      for container in segment.head.containers where container.kind == .pack && packs[container.id]?.size != container.size {
        survey.unsound.insert(container.id)
        if packs[container.id] == nil { survey.gone.insert(container.id) }
      }
    }
    let doomed = condemned.packs
    var entries = EntryMerge(backend: store.backend)
    for segment in store.index.all { try await entries.add(segment) }
    var places: [(entry: IndexEntry, container: IndexContainer)] = []
    while let place = entries.current {
      places.append(place)
      try await entries.advance()
      if entries.current?.entry.key == place.entry.key { continue }
      let key = place.entry.key
      if survey.live.needs(key) {
        if !key.kind.isHint { survey.liveObjects += 1 }
        let there = places.filter { packs[$0.container.id]?.size == $0.container.size || $0.container.kind != .pack }
        if !there.isEmpty { needs.note(key) }
        let kept = there.filter { !doomed.contains($0.container.id) }
        if there.isEmpty, !key.kind.isHint, survey.trusted.contains(key) {
          throw Self.refusal("The \(key) is missing", of: store.name)
        }
        // What lies only in condemned packs is needed from there. A hint is not: any reader can do without.
        for (entry, container) in kept.isEmpty && !key.kind.isHint ? there : kept {
          packs[container.id]?.neededBytes += UInt64(entry.storedLength + LocalCollection.overhead)
        }
      }
      places.removeAll(keepingCapacity: true)
    }
    needs.finish()
    if needs.count > 0 { throw Lack(count: needs.count) }
    survey.packs = packs.values.sorted { $0.id < $1.id }
    return survey
  }

  // MARK: Deciding

  /// What is to become of packs.
  private struct Plan {
    /// Nothing in them is needed: to be condemned.
    var dead: [Pack] = []
    /// Mostly garbage: what is needed is copied, then they are condemned.
    var sparse: [Pack] = []
    /// Condemned, and needed after all: what is needed is copied.
    var rescued: [Pack] = []
    /// Condemned and not needed, and the grace has not passed.
    var waiting: [Pack] = []
    /// Condemned for longer than the grace, and not needed.
    var due: [Pack] = []
    var young: [Pack] = []

    init(_ survey: Survey, _ condemned: CondemnedList, grace: Int64, now: Int64) {
      var since: [ObjectID: Int64] = [:]
      for item in condemned.items {
        for pack in item.packs { since[pack] = min(since[pack] ?? .max, Int64(clamping: item.time)) }
      }
      for pack in survey.packs {
        if let time = since[pack.id] {
          if pack.neededBytes > 0 {
            rescued.append(pack)
          } else if now - time >= grace {
            due.append(pack)
          } else {
            waiting.append(pack)
          }
        } else if pack.neededBytes == 0 || pack.isSparse {
          // What is younger than the grace may belong to a push under way.
          if now - pack.modified < grace {
            if pack.neededBytes == 0 { young.append(pack) }
          } else if pack.neededBytes == 0 {
            dead.append(pack)
          } else {
            sparse.append(pack)
          }
        }
      }
    }

    func fill(_ report: inout RemoteCollectionReport, _ condemned: CondemnedList, grace: Int64, now: Int64) {
      func total(_ packs: [Pack]) -> UInt64 { packs.reduce(0) { $0 + $1.size } }
      (report.condemnedPacks, report.condemnedBytes) = (dead.count + sparse.count, total(dead + sparse))
      (report.waitingPacks, report.waitingBytes) = (waiting.count + rescued.count, total(waiting + rescued))
      (report.youngPacks, report.youngBytes) = (young.count, total(young))
      (report.deletedPacks, report.deletedBytes) = (due.count, total(due))
      report.repackedBytes = (sparse + rescued).reduce(0) { $0 + $1.neededBytes }
      let waits = Set(waiting.map(\.id))
      var times = condemned.items.filter { !$0.packs.isDisjoint(with: waits) }.map { Int64(clamping: $0.time) }
      if report.condemnedPacks > 0 { times.append(now) }
      report.nextDeletion = times.min().map { $0.addingReportingOverflow(grace).partialValue }
    }
  }

  // MARK: Acting

  /// Says anew what roots say of pushes that ended at the very moment when they were given up. Such a root is not believed, and
  /// stays for the sake of who was told that the push succeeded.
  private func adopt(_ ledger: RootLedger) async throws {
    let dead = ledger.retired.pushes
    let orphans = ledger.roots.items.filter {
      dead.contains($0.ulid) && ledger.pending[$0.ulid] == nil && !ledger.retired.roots.contains($0.name)
    }
    if orphans.isEmpty { return }
    let contents = orphans.reduce(into: Set<RootRecord.Root>()) { $0.formUnion($1.record.roots) }.subtracting(ledger.complete)
    if !contents.isEmpty {
      guard try await areWhole(contents) else { return }
      let commit = try await RootCommit(of: [], on: store)
      guard try await commit.finish(contents.sorted(), check: { try await areWhole(contents) }) else { return }
    }
    try await remove(orphans.map(\.key))
  }

  /// Whether all of some contents lies in packs that are there and not condemned.
  private func areWhole(_ contents: Set<RootRecord.Root>) async throws -> Bool {
    try await store.refresh()
    _ = try await store.avoidUnsound()
    defer { store.index.condemn([]) }
    var completeness = Completeness(of: store, readingFrom: local)
    for root in contents.sorted() where try await !completeness.has(TransferRoot(root)) { return false }
    return true
  }

  /// Copies what is needed out of packs that are to go.
  ///
  /// - Returns: the bytes copied, as they are stored.
  private func copy(_ plan: Plan, _ survey: Survey, _ condemned: CondemnedList) async throws -> UInt64 {
    let sources = plan.sparse + plan.rescued
    if sources.isEmpty { return 0 }
    // Copies rely on nothing that is leaving.
    store.index.condemn(condemned.packs.union(sources.map(\.id)).union(survey.unsound))
    defer { store.index.condemn([]) }
    let writer = ObjectWriter(store: store, isPush: true)
    let keys = try await needed(from: sources, survey.live).values.reduce(into: Set()) { $0.formUnion($1) }
    for key in keys.sorted() { try await copy(key, mustBeThere: survey.trusted.contains(key), into: writer) }
    return try await writer.finish().storedBytes
  }

  /// Copies one object unless it lies in a pack that stays.
  ///
  /// - Parameter mustBeThere: whether somebody was promised that it is. Of a push that is not over nobody was.
  private func copy(_ key: ObjectKey, mustBeThere: Bool, into writer: ObjectWriter) async throws(StoreError) {
    if try await store.index.container(of: key) != nil {
      return
    }
    do throws(StoreError) {
      let bytes = try await store.read(key)
      try await writer.store(bytes, as: key)
    } catch {
      guard error.code == .corrupt || error.code == .missing else { throw error }
      if mustBeThere {
        throw Self.refusal("The \(key) is \(error.code == .corrupt ? "damaged" : "missing")", of: store.name)
      }
    }
  }

  /// Returns the needed objects that the index has in `packs`, by pack.
  private func needed(from packs: [Pack], _ live: LiveSet) async throws(StoreError) -> [ObjectID: Set<ObjectKey>] {
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

  private func condemnAll(_ plan: Plan, now: Int64) async throws(StoreError) {
    let packs = Set((plan.dead + plan.sparse).map(\.id))
    if !packs.isEmpty { try await store.condemn(packs, time: now) }
  }

  /// Deletes what is due, each pack after a look whether all that is needed of it lies whole in a pack that stays.
  private func delete(
    _ plan: Plan, _ survey: Survey, _ condemned: CondemnedList, _ report: inout RemoteCollectionReport
  ) async throws {
    let leaving = condemned.packs.union((plan.dead + plan.sparse).map(\.id)).union(survey.unsound)
    let doomed = try await replaceable(plan.due, leaving: leaving, survey.live)
    (report.deletedPacks, report.deletedBytes) = (doomed.count, doomed.reduce(0) { $0 + $1.size })
    let ids = Set(doomed.map(\.id))
    // From now on for one grace more: a client that was held up still finds that the packs are condemned.
    if !ids.isEmpty { try await store.condemn(ids, time: try await clock()) }
    // What others' merges named again is forgotten too.
    let forgotten = ids.union(survey.gone)
    if forgotten.isEmpty { return }
    for attempt in 0..<8 {
      do throws(StoreError) {
        try await store.refresh()
        try await store.dropFromIndex(forgotten)
        break
      } catch {
        guard error.code == .missing, attempt < 7 else { throw error }
      }
    }
    try await remove(doomed.map { StoreLayout.pack($0.id) })
  }

  /// Returns those of `packs` of which every needed object can be read, whole, from a pack that stays.
  private func replaceable(_ packs: [Pack], leaving: Set<ObjectID>, _ live: LiveSet) async throws -> [Pack] {
    let needed = try await needed(from: packs, live)
    if needed.isEmpty { return packs }
    let keys = needed.values.reduce(into: Set()) { $0.formUnion($1) }.sorted()
    let lacking = try await store.lacking(keys, outside: leaving)
    return packs.filter { pack in needed[pack.id]?.isDisjoint(with: lacking) ?? true }
  }

  /// Gives up pushes that are older than two graces, and removes what those leave that were given up before.
  private func endPushes(
    _ ledger: RootLedger, _ retired: RetiredList, now: Int64, _ report: inout RemoteCollectionReport
  ) async throws(StoreError) {
    var givenUp: [ULID: Int64] = [:]
    for item in retired.items {
      for push in item.pushes { givenUp[push] = min(givenUp[push] ?? .max, Int64(clamping: item.time)) }
    }
    let confirmed = Set(ledger.roots.items.lazy.filter { $0.record.roots.isEmpty }.map(\.ulid))
    var old: Set<ULID> = []
    for (push, keys) in ledger.pending {
      if confirmed.contains(push) {
        // The push is over and was not allowed to say so by deleting.
        try await remove(keys)
      } else if let time = givenUp[push] {
        guard now - time >= grace else { continue }
        // The pending record was there after the push was given up: nobody ever believed its roots.
        try await remove(ledger.roots.items.filter { $0.ulid == push }.map(\.key))
        try await remove(keys)
        report.clearedPushes += 1
      } else if now - Int64(push.seconds) >= 2 * grace {
        old.insert(push)
      }
    }
    if !old.isEmpty {
      let time = try await clock()
      for part in old.parts(ofAtMost: RootRecord.rootLimit) {
        try await store.write(
          record: RetiredList.encode(time: UInt64(max(0, time)), pushes: part), in: StoreLayout.retired, time: time)
      }
      report.givenUp = old.count
    }
  }

  /// Removes records and hints that are of no use any more, and says anew where repacked contents begin.
  private func tidy(
    _ condemned: CondemnedList, _ retired: RetiredList, _ ledger: RootLedger, _ plan: Plan, _ survey: Survey, _ roots: Roots,
    now: Int64
  ) async throws {
    let there = Set(survey.packs.map(\.id))
    for item in condemned.items where now - Int64(clamping: item.time) >= grace && item.packs.isDisjoint(with: there) {
      try await remove([item.key])
    }
    let names = Set(ledger.roots.items.map(\.name))
    // The newest stays: by a folder that is empty who reads it knows that nothing was ever retired. See ``RootLedger``.
    let newest = retired.items.map(\.key.text).max()
    for item in retired.items
    where item.key.text != newest && item.pushes.isEmpty && now - Int64(clamping: item.time) >= 4 * grace && item.roots.isDisjoint(with: names) {
      try await remove([item.key])
    }
    let superseded = store.index.superseded
    for entry in try await store.list(StoreLayout.index) {
      if let (_, id) = StoreLayout.segment(from: entry.key), superseded.contains(id) { try await remove([entry.key]) }
    }
    if !store.backend.answersAtOnce {
      let contents = roots.trusted.union(roots.doubtful)
      for kind in [TransferRoot.Kind.file, .tree] {
        let oids = Set(contents.lazy.filter { $0.kind == kind }.map(\.oid))
        let hints = try await store.list(kind == .file ? StoreLayout.files : StoreLayout.trees)
        try await remove(hints.map(\.key).filter { key in StoreLayout.locator(from: key, kind).map { !oids.contains($0) } ?? false })
      }
      if !plan.sparse.isEmpty || !plan.rescued.isEmpty {
        store.index.condemn(condemned.packs.union((plan.dead + plan.sparse).map(\.id)).union(survey.unsound))
        await store.writeLocators(of: roots.trusted.sorted().map { TransferRoot($0) })
        store.index.condemn([])
      }
    }
    try? await BackendListing.publish(on: store.backend)
  }

  private func remove(_ keys: [BackendKey]) async throws(StoreError) {
    if keys.isEmpty { return }
    do { try await store.backend.delete(keys) } catch { throw StoreError(error) }
  }

  private func clock() async throws(StoreError) -> Int64 {
    do { return try await store.backend.clock() } catch { throw StoreError(error) }
  }
}

extension TransferRoot {
  /// A root without a name but its kind and oid.
  init(_ root: RootRecord.Root) {
    self.init(kind: root.kind, oid: root.oid, size: root.size, label: "\(root.kind.rawValue) \(root.oid.shortHex)")
  }
}

extension ObjectStore {
  /// Returns those objects that cannot be read, whole, from a pack that is not in `leaving`: all are read, neighbours together.
  ///
  /// - Parameter keys: in ascending order, none twice.
  func lacking(_ keys: [ObjectKey], outside leaving: Set<ObjectID>) async throws(StoreError) -> Set<ObjectKey> {
    var places: [[ObjectLocation]] = Array(repeating: [], count: keys.count)
    try await index.locations(ofAll: keys).forEachObject { number, found in
      places[number] = found.map(\.location).filter { !leaving.contains($0.container.id) }
    }
    var lacking: Set<ObjectKey> = []
    var open = Array(keys.indices)
    var object: [UInt8] = []
    // Every place in turn, until one has it whole.
    while !open.isEmpty {
      var pieces: [CopyPlan.Piece] = []
      var waiting: [ObjectKey: Int] = [:]
      for number in open {
        guard let place = places[number].popLast() else {
          lacking.insert(keys[number])
          continue
        }
        pieces.append(CopyPlan.Piece(key: keys[number], location: place))
        waiting[keys[number]] = number
      }
      for run in CopyPlan(pieces).groups.flatMap({ PieceRun.cut($0.pieces[...]) }) {
        guard let container = run.pieces.first?.location.container, let bytes = try await bytes(of: run, in: container) else { continue }
        for piece in run.pieces {
          let start = Int(piece.location.offset - run.range.lowerBound)
          let stored = bytes.span.extracting(start..<(start + piece.location.storedLength))
          if proves(stored, piece, using: &object) { waiting[piece.key] = nil }
        }
      }
      open = waiting.values.sorted()
    }
    return lacking
  }
}
