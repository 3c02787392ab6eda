import DVBackend
public import DVObject

/// Makes roots complete on a remote that many push to at once, without a lock.
///
///     1  look which roots are complete, which packs are there and whole, what gc condemned
///     2  write a pending record
///     3  copy packs, then index segments; nothing condemned, short or missing is relied on
///     4  check: every pack relied on or written is there, whole, and not condemned; else copy again
///     5  write the root record: the only commit
///     6  check again, because gc may have come between; if it did, take the root back and copy again
///
/// Nothing is overwritten. Two pushes of the same bytes write them twice at worst.
public struct RemotePush: Sendable {
  public let local: ObjectStore
  public let remote: ObjectStore
  private let width: Int?
  private let progress: @Sendable (Transfer.Step) -> Void

  /// Rounds of copying before a push gives up against gc or merges that take away what it relies on.
  private static let roundLimit = 8

  /// - Parameters:
  ///   - width: how many packs are read at once; `nil` for what suits the machine.
  ///   - progress: called from many tasks.
  public init(
    from local: ObjectStore, to remote: ObjectStore, width: Int? = nil,
    progress: @escaping @Sendable (Transfer.Step) -> Void = { _ in }
  ) {
    self.local = local
    self.remote = remote
    self.width = width
    self.progress = progress
  }

  /// What a push finds before it begins.
  public struct Plan: Sendable {
    /// The roots that are complete on the remote already.
    public fileprivate(set) var complete: [TransferRoot] = []
    /// The roots that are not.
    public fileprivate(set) var missing: [TransferRoot] = []
    /// The trees that are complete on the remote: earlier versions among them save looking at what did not change.
    public fileprivate(set) var knownTrees: Set<ObjectID> = []
    fileprivate let records: RecordList
    fileprivate let unsound: Set<ObjectID>
    fileprivate let distrusted: Set<ObjectID>
  }

  /// What a push did.
  public struct Report: Sendable {
    public var transfer = TransferReport()
    /// The roots that are complete now and were not before.
    public var committed: [TransferRoot] = []
    /// Damaged packs whose objects were all written again.
    public var healedPacks = 0
  }

  /// Looks at what has to be done for `roots`.
  ///
  /// - Parameter distrusted: packs of the remote that are known to be damaged although their length is right.
  public func plan(_ roots: [TransferRoot], distrusting distrusted: Set<ObjectID> = []) async throws -> Plan {
    let records = try await RecordList(StoreLayout.roots, of: remote)
    let survey = try await PackSurvey(of: remote)
    let unsound = survey.unsound.union(distrusted)
    // What a damaged pack made incomplete is walked again in full, and so healed from here.
    var complete = unsound.isEmpty ? records.complete : []
    if survey.isDoubtful { complete = try await proved(complete, among: roots) }
    var plan = Plan(records: records, unsound: unsound, distrusted: distrusted)
    plan.knownTrees = Set(complete.lazy.filter { $0.kind == .tree }.map(\.oid))
    var met: Set<RootRecord.Root> = []
    for root in roots where met.insert(RootRecord.Root(root)).inserted {
      if complete.contains(RootRecord.Root(root)) { plan.complete.append(root) } else { plan.missing.append(root) }
    }
    return plan
  }

  /// Returns which of `roots` are recorded as complete and are so by the remote's index.
  ///
  /// Reads nodes and lists here, so that it costs the remote nothing but its index.
  private func proved(
    _ recorded: Set<RootRecord.Root>, among roots: [TransferRoot]
  ) async throws -> Set<RootRecord.Root> {
    var completeness = Completeness(of: remote, readingFrom: local)
    var whole: Set<RootRecord.Root> = []
    for root in roots {
      let record = RootRecord.Root(root)
      guard recorded.contains(record), !whole.contains(record) else { continue }
      if try await completeness.has(root) { whole.insert(record) }
    }
    return whole
  }

  /// Pushes what a plan found missing.
  ///
  /// - Parameter bases: for a tree's oid, one of ``Plan/knownTrees`` that is an earlier version of it.
  /// - Returns: what was done; roots that a failure affects were not committed.
  public func run(_ plan: Plan, bases chosen: [ObjectID: ObjectID] = [:]) async throws -> Report {
    var report = Report()
    report.transfer.skipped = plan.complete.count
    if plan.missing.isEmpty {
      await publishListing(onlyIfAbsent: true)
      return report
    }
    let (missing, records) = (plan.missing, plan.records)
    var unsound = plan.unsound
    for _ in 0..<Self.roundLimit {
      remote.index.condemn(try await condemned().union(unsound))
      let bases = try await areKept(records) ? chosen : [:]
      let (transfer, committed) = try await attempt(missing, bases: bases)
      report.transfer.add(transfer)
      if let committed {
        report.transfer.failed = transfer.failed
        report.committed = committed
        report.healedPacks = await tidy(records, unsound: unsound)
        await publishListing()
        return report
      }
      try await remote.refresh()
      unsound = try await PackSurvey(of: remote).unsound.union(plan.distrusted)
    }
    throw StoreError(
      .busy, "Packs that this push relied on were taken away from \(remote.name) again and again. Push again later.")
  }

  /// Whether the roots that are used as bases are still kept.
  private func areKept(_ records: RecordList) async throws(StoreError) -> Bool {
    let now = try await RecordList(StoreLayout.roots, of: remote, known: records)
    return now.complete.isSuperset(of: records.complete)
  }

  /// One round of copy, check and commit.
  ///
  /// - Returns: what was copied, and the roots that were committed; `nil` if a check failed.
  private func attempt(
    _ roots: [TransferRoot], bases: [ObjectID: ObjectID]
  ) async throws -> (transfer: TransferReport, committed: [TransferRoot]?) {
    let start = try await clock()
    let pending = try await write(roots, as: .pending, in: StoreLayout.pending, time: start)
    let writer = ObjectWriter(store: remote, isPush: true)
    let transfer = try await Transfer(.push, from: local, to: remote, width: width, progress: progress).run(
      roots, bases: bases, writer: writer)
    let relied = writer.reused.union(writer.written)
    guard try await isSound(relied) else {
      try await delete(pending)
      return (transfer, nil)
    }
    let committed = roots.indices.filter { !transfer.incompleteRoots.contains($0) }.map { roots[$0] }
    let keys = try await write(committed, as: .root, in: StoreLayout.roots, time: try await clock())
    // A push that was held up for longer than gc waits may have been overtaken by it.
    guard try await isSound(relied) else {
      try await delete(keys + pending)
      return (transfer, nil)
    }
    try await delete(pending)
    await remote.writeLocators(of: committed)
    return (transfer, committed)
  }

  // MARK: Checks

  private func condemned() async throws(StoreError) -> Set<ObjectID> { try await CondemnedList(of: remote).packs }

  /// Whether every container is there, whole, and not condemned.
  private func isSound(_ containers: Set<IndexContainer>) async throws(StoreError) -> Bool {
    if containers.isEmpty { return true }
    let condemned = try await condemned()
    if containers.contains(where: { condemned.contains($0.id) }) { return false }
    if containers.count > 64 {
      // One listing costs less than many questions.
      var sizes: [BackendKey: UInt64] = [:]
      for entry in try await list(StoreLayout.packs) { sizes[entry.key] = entry.size }
      return containers.allSatisfy { $0.kind != .pack || sizes[StoreLayout.container($0)] == $0.size }
    }
    for container in containers {
      do {
        guard try await remote.backend.size(of: StoreLayout.container(container)) == container.size else { return false }
      } catch {
        throw StoreError(error)
      }
    }
    return true
  }

  // MARK: Records

  private func clock() async throws(StoreError) -> Int64 {
    do { return try await remote.backend.clock() } catch { throw StoreError(error) }
  }

  private func list(_ prefix: String) async throws(StoreError) -> [BackendEntry] {
    do { return try await remote.backend.list(prefix) } catch { throw StoreError(error) }
  }

  private func delete(_ keys: [BackendKey]) async throws(StoreError) {
    // A push never needs permission to delete: what stays is removed by gc.
    for key in keys {
      do { try await remote.backend.delete(key) } catch { if error.code != .denied { throw StoreError(error) } }
    }
  }

  /// Writes records of roots, each of at most ``RootRecord/rootLimit``.
  private func write(
    _ roots: [TransferRoot], as kind: RootRecord.Kind, in folder: String, time: Int64
  ) async throws(StoreError) -> [BackendKey] {
    var keys: [BackendKey] = []
    for start in stride(from: 0, to: roots.count, by: RootRecord.rootLimit) {
      let part = roots[start..<min(start + RootRecord.rootLimit, roots.count)]
      let record = RootRecord(kind: kind, time: UInt64(max(0, time)), roots: Set(part.map(RootRecord.Root.init)))
      keys.append(try await write(record, in: folder, time: time))
    }
    return keys
  }

  private func write(_ record: RootRecord, in folder: String, time: Int64) async throws(StoreError) -> BackendKey {
    let bytes = record.encoded()
    let key = StoreLayout.record(folder, ulid: ULID(seconds: Double(time)), id: ObjectID(hashing: bytes.span))
    do { try await remote.backend.put(bytes, at: key) } catch { throw StoreError(error) }
    return key
  }

  // MARK: Tidying

  /// Leaves a listing for readers that cannot list, written last because it is only a hint: the push is done without it.
  private func publishListing(onlyIfAbsent: Bool = false) async {
    let backend = remote.backend
    if onlyIfAbsent, (try? await backend.size(of: BackendListing.Part.structure.key)) != .some(nil) { return }
    try? await BackendListing.publish(on: backend)
  }

  /// Does what keeps later pushes fast. The push is done: what fails here fails again, and is reported, in the next one.
  ///
  /// - Returns: how many damaged packs need not be looked at any more.
  private func tidy(_ records: RecordList, unsound: Set<ObjectID>) async -> Int {
    do throws(StoreError) {
      try await mergeRoots(records)
      await remote.compactIndex()
      return unsound.isEmpty ? 0 : try await remote.forgetPacks(unsound)
    } catch {
      return 0
    }
  }

  /// Root records that may gather before they are merged.
  static let recordLimit = 64
  /// A pending record older than this, in seconds, belongs to a push that was killed.
  private static let abandoned = 3600.0

  /// Merges root records when many have gathered, so that reading them stays cheap.
  ///
  /// Roots of a push that is not over are left alone: it may have to take them back.
  private func mergeRoots(_ known: RecordList) async throws(StoreError) {
    let names = try await list(StoreLayout.roots)
    guard names.count > Self.recordLimit else { return }
    let now = Double(try await clock())
    let under = try await list(StoreLayout.pending).compactMap { StoreLayout.record(from: $0.key)?.ulid.seconds }
    // A second for the grain of the clocks that the names were made with.
    let end = (under.filter { $0 > now - Self.abandoned }.min() ?? .infinity) - 1
    let all = try await RecordList(StoreLayout.roots, of: remote, known: known)
    let items = all.items.filter { $0.ulid.seconds < end && $0.record.roots.count < RootRecord.rootLimit / 2 }
    guard items.count > Self.recordLimit / 2 else { return }
    let superseded = Set(items.compactMap { $0.key.text.split(separator: "/").last.map(String.init) })
    let roots = items.reduce(into: Set<RootRecord.Root>()) { $0.formUnion($1.record.roots) }.sorted()
    for start in stride(from: 0, to: roots.count, by: RootRecord.rootLimit) {
      let merged = RootRecord(
        kind: .root, time: items.map(\.record.time).max() ?? 0,
        roots: Set(roots[start..<min(start + RootRecord.rootLimit, roots.count)]), supersedes: superseded)
      _ = try await write(merged, in: StoreLayout.roots, time: try await clock())
    }
    try await delete(items.map(\.key))
  }
}
