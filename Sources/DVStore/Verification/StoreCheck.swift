import DVBackend
import DVFile
import DVObject
import Synchronization

/// Checks a store: the local one, or a remote.
///
///     1  format, index segments, records, locators  every byte of them
///     2  packs                                    sizes, headers, tables; the bytes of those that are wanted or look wrong
///     3  index against packs                      every entry names what its pack has there
///     4  contents                                 every node, list and chunk of them is there; read or by the index
///     5  files of several chunks (full only)      their whole SHA-256
///     6  what is lost                             which paths need it
///
/// Memory: the tables of some hundred packs, and what the walk over the contents keeps (some 50 bytes per file).
public struct StoreCheck: Sendable {
  /// Whose contents must be complete.
  public enum Contents: Sendable {
    /// A clone's own store: `whole` must be here; of `partial`, what is here must be right.
    case local(whole: [TransferRoot], partial: [TransferRoot])
    /// A remote: what its root records name must be there. `known` are names for them.
    case remote(known: [TransferRoot])
  }

  private let store: ObjectStore
  private let depth: CheckDepth
  private let narrow: Bool
  private let progress: @Sendable (CheckStep) -> Void

  /// Rows of tables held at a time: some 80 MB.
  private static let rowLimit = 1 << 20

  /// - Parameter narrow: whether, of the packs, only those are read that the contents need.
  public init(
    of store: ObjectStore, depth: CheckDepth, narrow: Bool = false,
    progress: @escaping @Sendable (CheckStep) -> Void = { _ in }
  ) {
    self.store = store
    self.depth = depth
    self.narrow = narrow
    self.progress = progress
  }

  /// Checks.
  ///
  /// - Throws: ``StoreError`` if the store cannot be read; damage is no error but a finding.
  public func run(_ contents: Contents) async throws -> StoreCheckReport {
    var report = StoreCheckReport()
    try await checkFormat(&report)
    try await checkIndex(&report)
    try await checkRecords(&report)
    try await checkHints(&report)
    try await checkWholeFiles(&report)
    let (whole, partial) = contentLists(contents, &report)
    report.contents = whole + partial
    report.wholeCount = whole.count
    report.checked.contents = report.contents.count
    let wanted = try await packsOfContents(whole, partial)
    let failures = try await checkPacks(wanted, &report)
    try await checkContents(whole, partial, failures, &report)
    return report
  }

  private var isFull: Bool { if case .full = depth { true } else { false } }

  // MARK: - Small things

  private func checkFormat(_ report: inout StoreCheckReport) async throws {
    guard let finding = try await FormatScan(of: store.backend).finding else { return }
    report.isFormatDamaged = true
    report.findings.append(finding)
  }

  /// Reads every byte of the index.
  private func checkIndex(_ report: inout StoreCheckReport) async throws {
    let listed = try await store.list(StoreLayout.index)
    progress(.began(.index, bytes: listed.reduce(0) { $0 + $1.size }))
    for entry in listed {
      try Task.checkCancellation()
      guard let (level, id) = StoreLayout.segment(from: entry.key) else {
        report.unknownKeys.append(entry.key.text)
        continue
      }
      let scan = try await SegmentScan(entry, level: level, id: id, of: store.backend)
      progress(.did(bytes: entry.size))
      if scan.isGone { continue }
      report.checked.segments += 1
      report.checked.indexEntries += scan.entryCount
      guard let problem = scan.problem else { continue }
      report.damagedSegments.append((entry.key, id))
      report.findings.append(StoreFinding(.segment, place: entry.key.text, message: problem))
      store.index.note(
        DamagedSegment(id: id, level: level, message: problem, head: scan.head))
    }
    // What turned out to be damaged just now is set aside from here on.
    try await store.refresh()
  }

  private func checkRecords(_ report: inout StoreCheckReport) async throws {
    let records = try await RecordScan(of: store)
    report.checked.records = records.count
    report.unknownKeys += records.unknown.map(\.text)
    for record in records.damaged {
      report.findings.append(StoreFinding(.record, place: record.key.text, message: record.message))
    }
    report.records = records
    report.quarantined = try await store.backend.listIfPossible(StoreLayout.quarantine)?.count ?? 0
  }

  private func checkHints(_ report: inout StoreCheckReport) async throws {
    let hints = try await HintScan(of: store.backend)
    report.checked.locators = hints.count
    report.unknownKeys += hints.unknown.map(\.text)
    report.unlisted += hints.unlisted
    report.staleListings = hints.staleListings.map(\.text)
    report.hints = hints
    for locator in hints.damaged {
      report.findings.append(StoreFinding(.locator, place: locator.key.text, message: locator.message))
    }
    for key in hints.damagedListings {
      report.findings.append(StoreFinding(.listing, place: key.text, message: "its bytes are not those of a listing"))
    }
  }

  /// Hashes files that are stored as they are.
  private func checkWholeFiles(_ report: inout StoreCheckReport) async throws {
    guard let listed = try await store.backend.listIfPossible(StoreLayout.objects) else {
      return report.unlisted.append(StoreLayout.objects)
    }
    for entry in listed {
      try Task.checkCancellation()
      guard let id = StoreLayout.wholeFile(from: entry.key) else {
        report.unknownKeys.append(entry.key.text)
        continue
      }
      report.checked.wholeFiles += 1
      if try await store.backend.digest(of: entry.key, size: entry.size) == id { continue }
      report.badFiles.append(entry.key)
      report.findings.append(
        StoreFinding(.wholeFile, place: entry.key.text, message: "its bytes are not those its name says"))
    }
  }

  /// Returns which contents must be whole, and which need not.
  private func contentLists(
    _ contents: Contents, _ report: inout StoreCheckReport
  ) -> (whole: [TransferRoot], partial: [TransferRoot]) {
    switch contents {
    case .local(let whole, let partial): return (whole, partial)
    case .remote(let known):
      var pushed = report.records?.roots ?? [:]
      var whole: [TransferRoot] = []
      for root in known {
        if pushed[RootRecord.Root(root)] != nil {
          whole.append(root)
        } else {
          report.unpushed += 1
        }
      }
      if narrow { return (whole, []) }
      for root in known { pushed[RootRecord.Root(root)] = nil }
      // What others pushed has no name here but that of the record.
      for (root, key) in pushed.sorted(by: { $0.key < $1.key }) {
        whole.append(TransferRoot(kind: root.kind, oid: root.oid, size: root.size, label: key.text))
      }
      return (whole, [])
    }
  }

  // MARK: - Packs

  /// Returns the packs to which a narrow check keeps; `nil` for all.
  private func packsOfContents(_ whole: [TransferRoot], _ partial: [TransferRoot]) async throws -> Set<ObjectID>? {
    guard narrow else { return nil }
    var closure = ClosureCheck(of: store, lost: [:], isFull: false, wantsPacks: true)
    try await closure.check(whole, isWhole: true)
    try await closure.check(partial, isWhole: false)
    return closure.packs
  }

  /// Looks at every pack that is listed, and compares the index with them.
  ///
  /// - Parameter wanted: the packs that may be read whole; `nil` for all.
  /// - Returns: the objects that the index names and that have no good copy.
  private func checkPacks(
    _ wanted: Set<ObjectID>?, _ report: inout StoreCheckReport
  ) async throws -> [ObjectKey: ClosureCheck.Failure] {
    var sizes: [ObjectID: UInt64] = [:]
    for entry in try await store.list(StoreLayout.packs) {
      guard let id = StoreLayout.pack(from: entry.key) else {
        report.unknownKeys.append(entry.key.text)
        continue
      }
      sizes[id] = entry.size
    }
    var named: [ObjectID: UInt64] = [:]
    for segment in store.index.all {
      for container in segment.head.containers where container.kind == .pack { named[container.id] = container.size }
    }
    report.checked.packs = sizes.count
    report.checked.packBytes = sizes.values.reduce(0, &+)
    for (id, size) in sizes where named[id] == nil {
      report.unindexedPacks += 1
      report.unindexedBytes += size
      report.unindexed.append(IndexContainer(kind: .pack, id: id, size: size))
    }
    report.missingPacks = Set(named.keys.filter { sizes[$0] == nil })
    for id in report.missingPacks.sorted() {
      report.findings.append(
        StoreFinding(
          .pack, isMissing: true, place: StoreLayout.pack(id).text, message: "it is missing, and the index names it"))
    }
    let chosen = choice(among: sizes, wanted)
    progress(.began(.packs, bytes: chosen.reduce(0) { $0 + (sizes[$1] ?? 0) }))
    var places = BadPlaces()
    var batch: [ObjectID: PackScan] = [:]
    var rows = 0
    let ids = sizes.keys.sorted()
    for start in stride(from: 0, to: ids.count, by: 64) {
      let part = ids[start..<min(start + 64, ids.count)].map { id in
        PackTask(
          container: IndexContainer(kind: .pack, id: id, size: sizes[id] ?? 0), indexedSize: named[id],
          isChosen: chosen.contains(id))
      }
      let scans = try await part.mapConcurrently(width: Machine.coreCount) { try await scan($0) }
      for scan in scans {
        batch[scan.container.id] = scan
        rows += scan.entries.count
      }
      guard rows >= Self.rowLimit else { continue }
      try await compare(batch, &places, &report)
      (batch, rows) = ([:], 0)
    }
    try await compare(batch, &places, &report)
    try await noteMissing(report.missingPacks, &places)
    return try await lost(places, &report)
  }

  private struct PackTask: Sendable {
    let container: IndexContainer
    /// What the index says of its size; `nil` if no index names it.
    let indexedSize: UInt64?
    let isChosen: Bool
  }

  /// Chooses which packs are read whole.
  private func choice(among sizes: [ObjectID: UInt64], _ wanted: Set<ObjectID>?) -> Set<ObjectID> {
    let candidates = sizes.filter { wanted?.contains($0.key) ?? true }
    switch depth {
    case .structure: return []
    case .full: return Set(candidates.keys)
    case .sample(let percent, let readBefore):
      let total = Double(candidates.values.reduce(0, &+))
      var chosen: Set<ObjectID> = []
      var bytes = 0.0
      let order = candidates.keys.sorted { left, right in
        let (a, b) = (readBefore[left] ?? 0, readBefore[right] ?? 0)
        return a == b ? left < right : a < b
      }
      for id in order where chosen.isEmpty || bytes < total * percent / 100 {
        chosen.insert(id)
        bytes += Double(candidates[id] ?? 0)
      }
      return chosen
    }
  }

  private func scan(_ task: PackTask) async throws -> PackScan {
    try Task.checkCancellation()
    var scan = PackScan(task.container)
    if let size = task.indexedSize, size != task.container.size {
      scan.note("it has \(task.container.size) bytes, and \(size) are expected")
    }
    if !task.isChosen { try await scan.look(in: store) }
    // What looks wrong is read: then each object that is damaged can be named, and the others saved.
    if task.isChosen || !scan.isSound {
      var read = PackScan(task.container)
      try await read.read(in: store) { if task.isChosen { progress(.did(bytes: $0)) } }
      for problem in scan.problems where !read.problems.contains(problem) { read.note(problem) }
      scan = read
    }
    return scan
  }

  /// Compares the index with some packs.
  private func compare(
    _ packs: [ObjectID: PackScan], _ places: inout BadPlaces, _ report: inout StoreCheckReport
  ) async throws {
    guard !packs.isEmpty else { return }
    var packs = packs
    var found = BadPlaces()
    while true {
      found = BadPlaces()
      var doubtful: Set<ObjectID> = []
      for segment in store.index.all {
        let containers = segment.head.containers
        guard containers.contains(where: { packs[$0.id] != nil }) else { continue }
        try await segment.forEachEntry(from: store.backend) { entry in
          let id = containers[entry.container].id
          guard let scan = packs[id] else { return }
          if let row = scan.entry(at: entry.offset), IndexEntry(row, inContainer: entry.container) == entry { return }
          let reason = scan.bad.first { $0.offset == entry.offset }?.message
          found.add(entry.key, id, entry.offset, reason ?? "it is not there", isMissing: false)
          guard scan.isSound else { return }
          doubtful.insert(id)
          found.wrongSegments[segment.id] = (segment.key, "it names what pack \(id.hex) does not hold")
        }
      }
      // Which of the two is wrong, a pack that was not read cannot tell.
      let unread = doubtful.filter { packs[$0]?.bytesRead == nil }
      if unread.isEmpty { break }
      for id in unread.sorted() {
        guard let container = packs[id]?.container else { continue }
        var scan = PackScan(container)
        try await scan.read(in: store)
        packs[id] = scan
      }
    }
    places.add(found)
    for scan in packs.values.sorted(by: { $0.container.id < $1.container.id }) {
      if let bytes = scan.bytesRead {
        report.checked.packsRead += 1
        report.checked.bytesRead += bytes
        report.checked.objectsProved += scan.entries.count
        if scan.isSound { report.readPacks.insert(scan.container.id) }
      }
      if scan.isSound { continue }
      report.badPacks.append(scan)
      if let problem = scan.problems.first {
        report.findings.append(
          StoreFinding(.pack, place: StoreLayout.pack(scan.container.id).text, message: problem))
      }
    }
    // What a damaged pack holds beside what the index names.
    for scan in packs.values where !scan.isSound {
      for entry in scan.bad {
        guard let key = entry.key else { continue }
        places.add(key, scan.container.id, entry.offset, entry.message, isMissing: false)
      }
    }
  }

  /// Notes all that the index has in packs that are gone.
  private func noteMissing(_ packs: Set<ObjectID>, _ places: inout BadPlaces) async throws {
    for segment in store.index.all {
      let containers = segment.head.containers
      guard containers.contains(where: { packs.contains($0.id) }) else { continue }
      try await segment.forEachEntry(from: store.backend) { entry in
        let id = containers[entry.container].id
        if packs.contains(id) { places.add(entry.key, id, entry.offset, "its pack is missing", isMissing: true) }
      }
    }
  }

  /// Makes findings of bad places, and returns the objects that have no good one.
  private func lost(
    _ places: BadPlaces, _ report: inout StoreCheckReport
  ) async throws -> [ObjectKey: ClosureCheck.Failure] {
    for (id, wrong) in places.wrongSegments.sorted(by: { $0.key < $1.key })
    where !report.damagedSegments.contains(where: { $0.id == id }) {
      report.findings.append(StoreFinding(.segment, place: wrong.key.text, message: wrong.message))
      report.damagedSegments.append((wrong.key, id))
    }
    var lost: [ObjectKey: ClosureCheck.Failure] = [:]
    let keys = places.byKey.keys.sorted()
    var good = [Bool](repeating: false, count: keys.count)
    var isNamed = [Bool](repeating: false, count: keys.count)
    try await store.index.locations(ofAll: keys).forEachObject { number, locations in
      isNamed[number] = true
      let bad = Set(places.byKey[keys[number]]?.map { BadPlaces.Place($0.pack, $0.offset) } ?? [])
      good[number] = locations.contains {
        !bad.contains(BadPlaces.Place($0.location.container.id, $0.location.offset))
      }
    }
    for (index, key) in keys.enumerated() {
      // What no index names, nobody relies on; nor on a hint.
      let isLost = isNamed[index] && !good[index] && !key.kind.isHint
      for bad in places.byKey[key] ?? [] {
        report.findings.append(
          StoreFinding(
            .object, isMissing: bad.isMissing, key: key, place: PackScan.place(bad.pack, bad.offset),
            message: bad.message, isLost: isLost))
      }
      if isLost, let first = places.byKey[key]?.first {
        lost[key] = ClosureCheck.Failure(isMissing: first.isMissing, message: first.message)
      }
    }
    return lost
  }

  // MARK: - Contents

  private func checkContents(
    _ whole: [TransferRoot], _ partial: [TransferRoot], _ failures: [ObjectKey: ClosureCheck.Failure],
    _ report: inout StoreCheckReport
  ) async throws {
    progress(.began(.structure, bytes: nil))
    var closure = ClosureCheck(of: store, lost: failures, isFull: isFull)
    try await closure.check(whole, isWhole: true)
    try await closure.check(partial, isWhole: false)
    report.checked.nodes = closure.nodes
    report.checked.lists = closure.lists
    report.checked.chunks = closure.chunks
    report.absent = closure.absent.count
    report.erased = Set(closure.erased.map(\.oid))
    for oid in report.erased where try await store.containsFile(oid) { report.erasedAndHere.insert(oid) }
    report.unnamed = closure.absent
    report.lost = failures
    for (key, failure) in closure.failures.sorted(by: { $0.key < $1.key }) where failures[key] == nil {
      report.lost[key] = failure
      if failure.isMissing { report.unnamed.insert(key) }
      report.findings.append(
        StoreFinding(
          .object, isMissing: failure.isMissing, key: key, place: "", message: failure.message, isLost: true))
    }
    if isFull { try await hashFiles(closure.listed, &report) }
    guard !report.lost.isEmpty else { return }
    var walk = ImpactWalk(in: store, of: Set(report.lost.keys))
    for (number, root) in report.contents.enumerated() { try await walk.visit(root, number: number) }
    report.impacts = walk.impacts
  }

  /// Hashes the whole content of files of several chunks.
  private func hashFiles(_ files: Set<ContentName>, _ report: inout StoreCheckReport) async throws {
    let sorted = files.sorted { $0.oid == $1.oid ? $0.size < $1.size : $0.oid < $1.oid }
    progress(.began(.content, bytes: sorted.clampedSum(\.size)))
    let wrong = Mutex<[(ContentName, StoreError)]>([])
    let hashed = Mutex<(files: Int, bytes: UInt64)>((0, 0))
    try await sorted.forEachConcurrently(width: Machine.coreCount) { file in
      do {
        try await hash(file)
        hashed.withLock {
          $0.files += 1
          $0.bytes = $0.bytes.addingClamped(file.size)
        }
      } catch let error as StoreError where error.code == .corrupt || error.code == .missing {
        wrong.withLock { $0.append((file, error)) }
      }
    }
    report.checked.filesHashed = hashed.withLock { $0.files }
    report.checked.fileBytesHashed = hashed.withLock { $0.bytes }
    for (file, error) in wrong.withLock({ $0 }) {
      let key = ObjectKey(kind: .chunkList, id: file.oid)
      // A chunk or node that failed says so itself.
      if let failed = error.key, failed.kind != .chunkList, report.lost[failed] != nil { continue }
      if report.lost[key] != nil { continue }
      report.lost[key] = ClosureCheck.Failure(isMissing: false, message: error.message)
      report.findings.append(
        StoreFinding(.object, key: key, place: "", message: error.message, isLost: true))
    }
  }

  private func hash(_ file: ContentName) async throws {
    let progress = progress
    do {
      try await store.readFile(file.oid, size: file.size) { progress(.did(bytes: UInt64($0.count))) }
    } catch let error as StoreError where error.code == .corrupt || error.code == .missing {
      // Another place may have a good copy.
      try await store.readFile(file.oid, size: file.size, thorough: true) { _ in }
    }
  }
}

/// Places where objects should be and are not, or are damaged.
private struct BadPlaces {
  struct Place: Hashable {
    let pack: ObjectID
    let offset: UInt64

    init(_ pack: ObjectID, _ offset: UInt64) {
      self.pack = pack
      self.offset = offset
    }
  }

  struct Bad {
    let pack: ObjectID
    let offset: UInt64
    let message: String
    let isMissing: Bool
  }

  private(set) var byKey: [ObjectKey: [Bad]] = [:]
  /// Segments that name what sound packs do not have.
  var wrongSegments: [ObjectID: (key: BackendKey, message: String)] = [:]

  mutating func add(_ other: BadPlaces) {
    for (key, places) in other.byKey { byKey[key, default: []] += places }
    wrongSegments.merge(other.wrongSegments) { first, _ in first }
  }

  mutating func add(_ key: ObjectKey, _ pack: ObjectID, _ offset: UInt64, _ message: String, isMissing: Bool) {
    if let known = byKey[key], known.contains(where: { $0.pack == pack && $0.offset == offset }) { return }
    byKey[key, default: []].append(Bad(pack: pack, offset: offset, message: message, isMissing: isMissing))
  }
}
