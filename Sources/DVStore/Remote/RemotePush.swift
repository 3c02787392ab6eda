import DVBackend
import DVFile
public import DVObject

/// Makes roots complete on a remote that many push to at once and gc frees meanwhile, without a lock.
///
///     1  look which roots are complete, which packs are there and whole, what gc condemned
///     2  write a pending record
///     3  copy packs, then index segments; nothing condemned, short or missing is relied on
///     4  check: every pack relied on or written is there, whole, and not condemned; else copy again
///     5  write the root record, which is not believed yet
///     6  check again, because gc may have come between, and that the earlier versions built on are still kept;
///        if not, take the root back and copy again
///     7  end the pending record: the commit. See ``RootCommit``
///
/// Nothing is overwritten. Two pushes of the same bytes write them twice at worst. Why nothing is lost: `docs/gc.md`.
public struct RemotePush: Sendable {
  public let local: ObjectStore
  public let remote: ObjectStore
  private let width: Int?
  private let progress: @Sendable (Transfer.Step) -> Void

  /// Packs that are asked for at once.
  private static let questionWidth = 16
  /// Rounds of copying before a push gives up against gc or merges that take away what it relies on.
  private static let roundLimit = 8
  /// A round that took longer than this, in seconds, is not committed but followed by another, which finds on the remote
  /// what this one copied: half of the shortest grace.
  var roundDuration: Int64 = RemoteCollection.shortestGrace / 2

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
    fileprivate let ledger: RootLedger
    fileprivate let unsound: Set<ObjectID>
    fileprivate let distrusted: Set<ObjectID>
    fileprivate let recorded: RecordedRoots

    /// Whether all of a root is complete on the remote already.
    public func isComplete(_ root: TransferRoot) -> Bool { recorded.contains(RootRecord.Root(root)) }

    /// Whether any tree is complete there.
    public var knowsTrees: Bool { recorded.haveTrees }

    /// Whether a tree is complete there: as an earlier version of another it saves looking at what did not change.
    public func isKnownTree(_ oid: ObjectID) -> Bool { recorded.containsTree(oid) }
  }

  /// What a push did.
  public struct Report: Sendable {
    public var transfer = TransferReport()
    /// The roots that are complete now and were not before.
    public var committed: [TransferRoot] = []
    /// Damaged packs whose objects were all written again.
    public var healedPacks = 0
  }

  /// What a remote shows before anybody knows what shall be pushed.
  public struct Findings: Sendable {
    fileprivate let ledger: RootLedger
    fileprivate let survey: PackSurvey
  }

  /// Looks at a remote.
  public static func look(at remote: ObjectStore) async throws -> Findings {
    // Side by side: a pack that is lost between is lost by gc, which took back what needs it before.
    async let survey = PackSurvey(of: remote)
    let ledger = try await RootLedger(of: remote)
    return Findings(ledger: ledger, survey: try await survey)
  }

  /// Looks at what has to be done for `roots`.
  ///
  /// - Parameters:
  ///   - findings: what a look at the remote showed.
  ///   - distrusted: packs of the remote that are known to be damaged although their length is right.
  public func plan(
    _ roots: [TransferRoot], after findings: Findings? = nil, distrusting distrusted: Set<ObjectID> = []
  ) async throws -> Plan {
    let found: Findings
    if let findings { found = findings } else { found = try await Self.look(at: remote) }
    let survey = found.survey
    let unsound = survey.unsound.union(distrusted)
    // What a damaged pack made incomplete is walked again in full, and so healed from here.
    var complete = unsound.isEmpty ? found.ledger.recorded(for: roots.count) : RecordedRoots()
    if survey.isDoubtful { complete = try await proved(complete, among: roots) }
    var plan = Plan(ledger: found.ledger, unsound: unsound, distrusted: distrusted, recorded: complete)
    plan.complete.reserveCapacity(roots.count)
    var met: Set<RootRecord.Root> = []
    met.reserveCapacity(roots.count)
    for root in roots where met.insert(RootRecord.Root(root)).inserted {
      if complete.contains(RootRecord.Root(root)) { plan.complete.append(root) } else { plan.missing.append(root) }
    }
    return plan
  }

  /// Returns which of `roots` are recorded as complete and are so by the remote's index.
  ///
  /// Reads nodes and lists here, so that it costs the remote nothing but its index.
  private func proved(
    _ recorded: RecordedRoots, among roots: [TransferRoot]
  ) async throws -> RecordedRoots {
    var completeness = Completeness(of: remote, readingFrom: local)
    var whole: Set<RootRecord.Root> = []
    for root in roots {
      let record = RootRecord.Root(root)
      guard recorded.contains(record), !whole.contains(record) else { continue }
      if try await completeness.has(root) { whole.insert(record) }
    }
    return RecordedRoots([whole.sorted()], for: roots.count)
  }

  /// Pushes what a plan found missing.
  ///
  /// - Parameters:
  ///   - bases: for a tree's oid, one that is an earlier version of it and ``Plan/isKnownTree(_:)``. For others one is looked for
  ///     among the trees that were pushed last.
  ///   - publishing: whether to leave the listing too. Who passes `false` calls ``publishListing(after:)``.
  /// - Returns: what was done; roots that a failure affects were not committed.
  public func run(
    _ plan: Plan, bases chosen: [ObjectID: ObjectID] = [:], publishing: Bool = true
  ) async throws -> Report {
    let report = try await push(plan, chosen)
    if publishing { await publishListing(after: plan) }
    return report
  }

  private func push(_ plan: Plan, _ chosen: [ObjectID: ObjectID]) async throws -> Report {
    var report = Report()
    report.transfer.skipped = plan.complete.count
    if plan.missing.isEmpty { return report }
    let missing = plan.missing
    var bases = await bases(of: plan, beside: chosen)
    var unsound = plan.unsound
    for _ in 0..<Self.roundLimit {
      remote.index.condemn(try await condemned().union(unsound))
      let (transfer, committed) = try await attempt(missing, bases: bases, known: plan.ledger.roots)
      report.transfer.add(transfer)
      if let committed {
        report.transfer.failed = transfer.failed
        report.committed = committed
        async let locators: Void = remote.writeLocators(of: committed)
        report.healedPacks = await tidy(plan.ledger.roots, unsound: unsound)
        await locators
        return report
      }
      try await remote.refresh()
      unsound = try await PackSurvey(of: remote).unsound.union(plan.distrusted)
      let recorded = try await RootLedger(of: remote, known: plan.ledger.roots).recorded(for: bases.count)
      bases = bases.filter { recorded.containsTree($0.value) }
    }
    throw StoreError(
      .busy, "Packs that this push relied on were taken away from \(remote.name) again and again. Push again later.")
  }

  /// Returns `chosen`, and of the other trees that are missing what was pushed lately and looks like an earlier version.
  private func bases(of plan: Plan, beside chosen: [ObjectID: ObjectID]) async -> [ObjectID: ObjectID] {
    let open = plan.missing.filter { $0.kind == .tree && chosen[$0.oid] == nil }
    var bases = chosen.filter { plan.isKnownTree($0.value) }
    guard !open.isEmpty, plan.knowsTrees else { return bases }
    let recent = await RecentTrees(of: plan.ledger.believed, where: plan.isKnownTree, in: local)
    for root in open { bases[root.oid] = await recent.base(of: root.oid) }
    return bases
  }

  /// One round of copy, check and commit.
  ///
  /// - Parameter known: root records that were read before.
  /// - Returns: what was copied, and the roots that were committed; `nil` if a check failed.
  private func attempt(
    _ roots: [TransferRoot], bases: [ObjectID: ObjectID], known: RecordList
  ) async throws -> (transfer: TransferReport, committed: [TransferRoot]?) {
    let commit = try await RootCommit(of: roots.map(RootRecord.Root.init), on: remote)
    let writer = ObjectWriter(store: remote, isPush: true)
    let transfer = try await Transfer(.push, from: local, to: remote, width: width, progress: progress).run(
      roots, bases: bases, writer: writer)
    let relied = writer.reused.union(writer.written)
    guard try await isSound(relied), try await clock() - commit.start <= roundDuration else {
      try await commit.abandon()
      return (transfer, nil)
    }
    let committed = roots.indices.filter { !transfer.incompleteRoots.contains($0) }.map { roots[$0] }
    guard !committed.isEmpty else {
      try await commit.abandon()
      return (transfer, committed)
    }
    let used = Set(bases.values)
    let isDone = try await commit.finish(committed.map(RootRecord.Root.init)) {
      async let isSound = isSound(relied)
      // What was not looked at, because an earlier version has it, is there as long as that version is kept.
      var isKept = true
      if !used.isEmpty {
        let recorded = try await RootLedger(of: remote, known: known).recorded(for: used.count)
        isKept = used.allSatisfy { recorded.containsTree($0) }
      }
      return try await isSound && isKept
    }
    return (transfer, isDone ? committed : nil)
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
      for entry in try await remote.list(StoreLayout.packs) { sizes[entry.key] = entry.size }
      return containers.allSatisfy { $0.kind != .pack || sizes[StoreLayout.container($0)] == $0.size }
    }
    // After the list: gc deletes what it condemned, and then forgets that it did.
    do {
      return try await containers.mapConcurrently(width: Self.questionWidth) { [remote] container in
        try await remote.backend.size(of: StoreLayout.container(container)) == container.size
      }.allSatisfy(\.self)
    } catch {
      throw StoreError(wrapping: error)
    }
  }

  // MARK: Records

  private func clock() async throws(StoreError) -> Int64 {
    do { return try await remote.backend.clock() } catch { throw StoreError(error) }
  }

  // MARK: Tidying

  /// Leaves a listing for readers that cannot list, written last because it is only a hint: the push is done without it.
  public func publishListing(after plan: Plan) async {
    let backend = remote.backend
    if plan.missing.isEmpty, (try? await backend.size(of: BackendListing.Part.structure.key)) != .some(nil) { return }
    try? await BackendListing.publish(on: backend)
  }

  /// Does what keeps later pushes fast. The push is done: what fails here fails again, and is reported, in the next one.
  ///
  /// - Returns: how many damaged packs need not be looked at any more.
  private func tidy(_ records: RecordList, unsound: Set<ObjectID>) async -> Int {
    do {
      try await mergeRoots(records)
      await remote.compactIndex()
      return unsound.isEmpty ? 0 : try await remote.forgetPacks(unsound)
    } catch {
      return 0
    }
  }

  /// Root records that may gather before they are merged. Fewer in tests of merges.
  @TaskLocal static var recordLimit = 32
  /// Merges root records when many have gathered, so that reading them stays cheap.
  ///
  /// Those of pushes that are not over are left alone, which may have to take them back, and those that were retired. The
  /// merged ones are believed as a push's are: when all they say was still said after they were written.
  private func mergeRoots(_ known: RecordList) async throws {
    // With the one that this push wrote.
    guard known.items.withoutSuperseded.count + 1 > Self.recordLimit else { return }
    let ledger = try await RootLedger(of: remote, known: known)
    let items = ledger.believed.withoutSuperseded.filter { $0.record.roots.count < RootRecord.rootLimit / 2 }
    guard items.count > Self.recordLimit / 2 else { return }
    let roots = items.reduce(into: Set<RootRecord.Root>()) { $0.formUnion($1.record.roots) }
    let commit = try await RootCommit(of: [], on: remote)
    let isDone = try await commit.finish(roots.sorted(), superseding: Set(items.map(\.name))) {
      let now = try await RootLedger(of: remote, known: ledger.roots)
      return now.complete.isSuperset(of: roots)
    }
    if isDone { try await RootCommit.delete(items.map(\.key), of: remote) }
  }
}
