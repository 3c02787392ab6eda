public import DVObject
public import DVStore

/// Makes a store good: from its own packs, from other stores, and from files of the working tree.
public struct RepairData: Sendable {
  public struct Report: Sendable {
    /// What was found before.
    public let before: CheckReport
    public let plan: RepairPlan
    /// Objects that files of the working tree have.
    public internal(set) var fromFiles: [ObjectKey] = []
    /// What was done; `nil` if nothing was to be done or it is a dry run.
    public internal(set) var outcome: RepairOutcome?
    /// What is still wrong.
    public internal(set) var after: CheckReport?
    public let isDryRun: Bool
    /// Remotes that could not be asked for copies.
    public internal(set) var unreachable: [String] = []
    /// Objects that were lost before and are not there, or not whole, still.
    var lacking: Set<ObjectKey> = []

    /// What is or would be lost still.
    public var remaining: [CheckReport.Damage] {
      if let after {
        // What no index names any more looks as if it had never been here, and the last look reads no content.
        let named = Set(after.damage.compactMap(\.finding.key))
        return after.damage + before.damage.filter { $0.finding.key.map { lacking.contains($0) && !named.contains($0) } ?? false }
      }
      if outcome == nil, !isDryRun { return before.damage }
      let unhealed = Set(plan.unhealed).subtracting(fromFiles)
      return before.damage.filter { $0.finding.key.map { unhealed.contains($0) } ?? false }
    }
  }

  private let place: VerifiedPlace
  private let isDryRun: Bool
  private let readsAll: Bool

  /// - Parameters:
  ///   - readsAll: whether every byte is read to find what is damaged, rather than the structure only.
  public init(_ place: VerifiedPlace, isDryRun: Bool = false, readsAll: Bool = true) {
    self.place = place
    self.isDryRun = isDryRun
    self.readsAll = readsAll
  }

  /// Carries it out.
  ///
  /// - Parameter announce: told what will be done, before anything is.
  /// - Throws: ``RepositoryError`` or ``StoreError`` if the store cannot be reached or written.
  public func run(
    in repository: Repository, progress: ProgressSink, announce: (Report) throws -> Void = { _ in }
  ) async throws -> Report {
    progress.begin("Looking")
    let roots = try VerifiedContents(of: repository, at: []).roots
    let opened = try await VerifiedStore.open(place, for: isDryRun ? .read : .write, in: repository)
    let check = CheckData(in: place, depth: readsAll ? .full : .structure)
    let before = try await check.run(on: opened, roots, in: repository, progress)
    let (sources, unreachable) = try await opened.others(in: repository)
    let repair = StoreRepair(
      of: opened.store, finding: before.store, from: sources, claiming: try claimed(roots, opened, repository))
    let plan = try await repair.plan()
    var report = Report(before: before, plan: plan, isDryRun: isDryRun, unreachable: unreachable)
    var copies = WorkingCopies(of: before.store, in: repository)
    report.fromFiles = try await fromFiles(plan.unhealed, &copies, before.store, repository)
    try announce(report)
    if isDryRun || plan.isEmpty { return report }
    progress.begin("Repairing")
    var outcome = try await repair.run(plan) { keys, writer in try await copies.heal(keys, into: writer) }
    // What was damaged before is not what the command ends with.
    OpenedStores.current?.removeAll()
    let last = CheckData(in: place, depth: .structure)
    var repaired = try await VerifiedStore.open(place, for: .write, in: repository)
    var after = try await last.run(on: repaired, roots, in: repository, progress)
    // Once the index is whole again, more may be known to be needed, and files of the working tree may have it.
    for _ in 0..<Self.roundLimit where !Set(after.store.lostKeys).isSubset(of: before.store.lostKeys) {
      repaired = try await VerifiedStore.open(place, for: .write, in: repository)
      let more = StoreRepair(of: repaired.store, finding: after.store, from: sources, claiming: [])
      var copies = WorkingCopies(of: after.store, in: repository)
      outcome.add(try await more.run(try await more.plan()) { keys, writer in try await copies.heal(keys, into: writer) })
      after = try await last.run(on: repaired, roots, in: repository, progress)
    }
    let needed = Set(before.damage.lazy.filter { !$0.affects.isEmpty }.compactMap(\.finding.key))
    report.lacking = needed.subtracting(try await repaired.store.goodCopies(of: needed.sorted()))
    report.outcome = outcome
    report.after = after
    return report
  }

  /// Rounds after the first: a directory's nodes, its files' lists, their chunks.
  private static let roundLimit = 3

  /// Returns the contents that this clone knows to have been complete on a remote.
  private func claimed(
    _ roots: [TransferRoot], _ opened: VerifiedStore, _ repository: Repository
  ) throws -> [TransferRoot] {
    guard let remote = opened.remote, let known = repository.knownComplete(on: remote) else { return [] }
    return roots.filter { known.contains($0.oid) }
  }

  private func fromFiles(
    _ keys: [ObjectKey], _ copies: inout WorkingCopies, _ report: StoreCheckReport, _ repository: Repository
  ) async throws -> [ObjectKey] {
    var found: [ObjectKey] = []
    for key in keys where key.kind != .treeNode {
      if try await copies.file(for: key) != nil { found.append(key) }
    }
    let nodes = Set(keys.filter { $0.kind == .treeNode })
    if !nodes.isEmpty { found += try await copies.nodes(nodes).keys }
    return found.sorted()
  }
}
