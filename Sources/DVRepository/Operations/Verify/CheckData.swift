import DVFile
import DVObject
import DVStore
public import DVWorkspace

/// Checks that a store has what pointers name, and that it is what it should be.
public struct CheckData: Sendable {
  /// How thoroughly; see ``CheckDepth``.
  public enum Depth: Hashable, Sendable {
    case structure
    case sample(percent: Double)
    case full
  }

  private let paths: [TreePath]
  private let place: VerifiedPlace
  private let depth: Depth

  /// - Parameters:
  ///   - paths: the data whose completeness is checked, relative to the working tree's root; nothing for all. With paths, of
  ///     the packs only those are read that this data needs.
  ///   - place: the store.
  public init(_ paths: [TreePath] = [], in place: VerifiedPlace, depth: Depth) {
    self.paths = paths
    self.place = place
    self.depth = depth
  }

  /// Carries it out.
  ///
  /// - Returns: what was found; damage is no error.
  /// - Throws: ``RepositoryError`` if the store cannot be reached, or `paths` name nothing.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> CheckReport {
    let clock = ContinuousClock()
    let start = clock.now
    progress.begin("Looking")
    let contents = try VerifiedContents(of: repository, at: paths)
    let opened = try await VerifiedStore.open(place, for: .read, in: repository)
    var report = try await run(on: opened, contents.roots, in: repository, progress)
    if repository.workDirectory != nil { report.unreadable = try repository.select([]).unreadable.filter { !$0.isConflicted } }
    report.elapsed = clock.now - start
    return report
  }

  /// Checks an opened store.
  func run(
    on opened: VerifiedStore, _ roots: [TransferRoot], in repository: Repository, _ progress: ProgressSink
  ) async throws -> CheckReport {
    var report = CheckReport(name: opened.store.name, remote: opened.remote?.name)
    let (timesName, timesPlace) = try opened.timesFile(in: repository)
    var times = ReadTimes(of: timesName, at: timesPlace, in: repository)
    let depth: CheckDepth =
      switch depth {
      case .structure: .structure
      case .full: .full
      case .sample(let percent): .sample(percent: percent, readBefore: times.times)
      }
    let contents: StoreCheck.Contents
    if opened.remote == nil {
      let (whole, partial) = try await split(roots, opened.store, repository)
      report.versionsElsewhere = partial.count
      contents = .local(whole: whole, partial: partial)
    } else {
      contents = .remote(known: roots)
    }
    let check = StoreCheck(of: opened.store, depth: depth, narrow: !paths.isEmpty) { progress.count($0) }
    report.store = try await check.run(contents)
    let erasures = try repository.erasures()
    report.erased = report.store.erased.sorted().compactMap { oid in
      erasures.items[oid].map { (oid, $0, report.store.erasedAndHere.contains(oid)) }
    }
    if !report.store.readPacks.isEmpty {
      let now = UInt64(max(0, FileTime.now.seconds))
      for pack in report.store.readPacks { times.times[pack] = now }
      times.save(timesName, at: timesPlace, in: repository)
    }
    if !report.store.isSound {
      progress.begin("Looking for copies")
      try await explain(&report, opened, repository)
    }
    return report
  }

  /// Tells contents that must be whole here from those that a remote has, of which any part may be absent.
  private func split(
    _ roots: [TransferRoot], _ store: ObjectStore, _ repository: Repository
  ) async throws -> (whole: [TransferRoot], partial: [TransferRoot]) {
    var known: Set<ObjectID> = []
    for remote in try repository.remotes() { known.formUnion(repository.knownComplete(on: remote) ?? []) }
    var completeness = Completeness(of: store)
    var (whole, partial, open): ([TransferRoot], [TransferRoot], [TransferRoot]) = ([], [], [])
    for root in roots {
      if try await completeness.has(root) {
        whole.append(root)
      } else if known.contains(root.oid) {
        partial.append(root)
      } else {
        open.append(root)
      }
    }
    for remote in try repository.remotes() where !open.isEmpty {
      guard let store = try? await repository.remoteStore(remote, create: false),
        let complete = try? await CompleteRoots(of: store)
      else { continue }
      partial += open.filter { complete.contains($0.kind, oid: $0.oid, size: $0.size) }
      open.removeAll { complete.contains($0.kind, oid: $0.oid, size: $0.size) }
    }
    return (whole + open, partial)
  }

  /// Says what the findings affect, and who has good copies.
  private func explain(
    _ report: inout CheckReport, _ opened: VerifiedStore, _ repository: Repository
  ) async throws {
    let (others, unreachable) = try await opened.others(in: repository)
    report.unreachable = unreachable
    var elsewhere: [ObjectKey: [String]] = [:]
    let lost = report.store.lostKeys
    for other in others {
      for key in try await other.goodCopies(of: lost) { elsewhere[key, default: []].append(other.name) }
    }
    var copies = WorkingCopies(of: report.store, in: repository)
    for key in lost {
      if let (path, _) = try await copies.file(for: key) { elsewhere[key, default: []].append("the file '\(path)'") }
    }
    let affected = Set(report.store.impacts.values.joined().map { report.store.contents[$0.root].oid })
    let appearances = affected.isEmpty ? Appearances() : try Appearances(of: affected, in: repository.git)
    var affects: [ObjectKey: [CheckReport.Affect]] = [:]
    for (key, impacts) in report.store.impacts {
      affects[key] = Self.affects(impacts, report.store.contents, appearances)
    }
    report.damage = report.store.findings.map { finding in
      CheckReport.Damage(
        finding: finding, affects: finding.isLost ? finding.key.flatMap { affects[$0] } ?? [] : [],
        elsewhere: finding.isLost ? finding.key.flatMap { elsewhere[$0] } ?? [] : [])
    }
  }

  private static func affects(
    _ impacts: [Impact], _ contents: [TransferRoot], _ appearances: Appearances
  ) -> [CheckReport.Affect] {
    var order: [[UInt8]] = []
    var commits: [[UInt8]: [String]] = [:]
    var references: [[UInt8]: [String]] = [:]
    func note(_ path: [UInt8], _ place: Appearances.Place?) {
      if commits[path] == nil {
        order.append(path)
        commits[path] = []
        references[path] = []
      }
      for commit in place?.commits ?? [] where commits[path]?.contains(commit) != true { commits[path]?.append(commit) }
      for name in place?.references ?? [] where references[path]?.contains(name) != true { references[path]?.append(name) }
    }
    for impact in impacts {
      let content = contents[impact.root]
      let inner = impact.path.isEmpty ? [] : [UInt8(ascii: "/")] + impact.path
      let places = appearances.places[content.oid] ?? []
      if places.isEmpty { note(Array(content.label.utf8) + inner, nil) }
      for place in places { note(Array(place.path.utf8) + inner, place) }
    }
    return order.map {
      CheckReport.Affect(path: $0, commits: commits[$0] ?? [], references: references[$0] ?? [])
    }
  }
}

extension ProgressSink {
  /// Counts what a check tells.
  func count(_ step: CheckStep) {
    switch step {
    case .began(let phase, let bytes):
      let verb =
        switch phase {
        case .index: "Checking the index"
        case .packs: "Checking packs"
        case .structure: "Checking versions"
        case .content: "Hashing files"
        }
      begin(verb, totalBytes: bytes)
    case .did(let bytes): advance(bytes: bytes)
    }
  }
}
