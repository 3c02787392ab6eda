import DVFile
import DVObject
import DVStore

/// A checkout under way.
struct CheckoutWork {
  private let plan: CheckoutPlan
  private let scan: TreeScan
  private let store: ObjectStore
  private let isForced: Bool
  private let prepared: PreparedFiles?
  private let progress: @Sendable (Int, UInt64) -> Void
  /// What will be the cache's state.
  private var state: TreeState
  private var failures: [CheckoutFailure] = []
  /// What is on disk still where something else was to be, by entry.
  private var remaining: [Int: SavedContent] = [:]
  private var filesWritten = 0
  private var bytesWritten: UInt64 = 0
  private var filesRemoved = 0

  init(
    plan: CheckoutPlan, scan: TreeScan, store: ObjectStore, isForced: Bool, prepared: PreparedFiles?,
    progress: @escaping @Sendable (Int, UInt64) -> Void
  ) {
    self.plan = plan
    self.scan = scan
    self.store = store
    self.isForced = isForced
    self.prepared = prepared
    self.progress = progress
    state = plan.wanted
  }

  /// How many files and bytes are written before they are renamed, in a target that is there.
  private static let roundCount = 8192
  private static let roundBytes: UInt64 = 256 << 20
  /// How many files make a batch that one task writes, and how many bytes.
  private static let batchCount = 64
  private static let batchBytes: UInt64 = 4 << 20

  // MARK: - A file

  mutating func writeFile(_ name: [UInt8], in parent: OpenDirectory) async throws {
    let item = CheckoutItem(entry: 0, directory: 0, action: plan.actions[0])
    guard item.action != .keep, item.action != .keepModified else { return }
    let writer = FileDelivery(store: store, target: scan.target, prepared: prepared)
    let name = name
    if state.device == 0 { state.device = try parent.handle.stat().device }
    var entry = state.entries[0]
    if item.action == .setMode {
      entry = try setMode(entry, before: plan.replaced[0], name: name, in: parent)
    } else {
      let temporary = Checkout.temporaryName(for: name)
      try parent.handle.removeFile(name: temporary)
      let written = try await writer.write(entry, content: nil, name: temporary, in: parent, inside: .root)
      try await TrustRule.waitForClock()
      entry = try place(entry, written: written, temporary, as: name, item, in: parent)
    }
    state.entries[0] = entry
    count(entry)
  }

  // MARK: - A new directory

  /// Writes the whole tree into an empty directory that nobody else knows.
  mutating func writeTree(into root: OpenDirectory) async throws {
    try makeDirectories(in: root)
    for batch in try await write(items(), root: root, directly: true) { take(batch) }
    try await TrustRule.waitForClock()
    trustWritten()
  }

  // MARK: - A directory that is there

  mutating func update(_ root: OpenDirectory) async throws {
    var cursor = DirectoryCursor(root: root)
    for path in plan.leftovers {
      let directory = try cursor.directory(at: path.parent)
      try? directory.handle.removeFile(name: path.lastName)
    }
    try remove(below: root)
    try makeDirectories(in: root)
    var round: [CheckoutItem] = []
    var bytes: UInt64 = 0
    for item in items() {
      round.append(item)
      bytes += state.entries[item.entry].size
      if round.count >= Self.roundCount || bytes >= Self.roundBytes {
        try await carryOut(round, root)
        round = []
        bytes = 0
      }
    }
    if !round.isEmpty { try await carryOut(round, root) }
  }

  /// Writes some files beside their places and then renames them.
  private mutating func carryOut(_ round: [CheckoutItem], _ root: OpenDirectory) async throws {
    let written = try await write(round.filter { $0.action != .setMode }, root: root, directly: false)
    if !written.isEmpty { try await TrustRule.waitForClock() }
    var cursor = DirectoryCursor(root: root)
    for delivery in written.joined() {
      if let failure = delivery.failure {
        failures.append(failure)
        remain(delivery.item)
        continue
      }
      let item = delivery.item
      do {
        let directory = try cursor.directory(at: state.path(ofDirectory: item.directory))
        let name = Array(state.name(of: state.entries[item.entry], in: item.directory))
        let entry = try place(
          state.entries[item.entry], written: delivery.entry, delivery.temporary, as: name, item, in: directory)
        state.entries[item.entry] = entry
        count(entry)
      } catch {
        try fail(item, error)
      }
    }
    for item in round where item.action == .setMode {
      do {
        let directory = try cursor.directory(at: state.path(ofDirectory: item.directory))
        let name = Array(state.name(of: state.entries[item.entry], in: item.directory))
        state.entries[item.entry] = try setMode(
          state.entries[item.entry], before: plan.replaced[item.entry], name: name, in: directory)
      } catch {
        try fail(item, error)
      }
    }
  }

  /// Renames a written file into its place.
  private func place(
    _ wanted: StatEntry, written: StatEntry, _ temporary: [UInt8], as name: [UInt8], _ item: CheckoutItem,
    in directory: OpenDirectory
  ) throws -> StatEntry {
    do {
      let there = try directory.handle.stat(name: name)
      try requireExpected(there, item)
      let clock = FileTime.now
      try directory.handle.rename(name: temporary, to: name)
      var entry = written
      entry.nameOffset = wanted.nameOffset
      entry.nameLength = wanted.nameLength
      // The rename changed the inode's time. The content is still what was written if its own time is still the same
      // and older than the clock was when it got a name that others know.
      if let stat = try directory.handle.stat(name: name) {
        var after = entry
        after.setIdentity(stat)
        if wanted.mode == EntryMode.symlink.rawValue { after.size = entry.size }
        if after.inode == entry.inode, after.size == entry.size, after.modified == entry.modified {
          entry = after
          entry.flags.insert(.hashed)
          if TrustRule(start: clock).trusts(modified: entry.modified, changed: entry.modified) {
            entry.flags.insert(.trusted)
          }
        }
      }
      return entry
    } catch {
      try? directory.handle.removeFile(name: temporary)
      throw error
    }
  }

  /// Throws if what is in the way is not what the plan was made for.
  private func requireExpected(_ there: FileStat?, _ item: CheckoutItem) throws {
    guard let there else { return }
    let path = scan.target.appending(plan.wanted.path(ofEntry: item.entry, in: item.directory))
    if let before = plan.replaced[item.entry] {
      guard isForced || before.hasIdentityOfPlan(there) else {
        throw WorkspaceError(
          .conflict, "'\(path)' was changed while it was being checked out. It was left alone; run the command again.",
          paths: [path])
      }
    } else if !isForced || there.kind == .directory {
      throw CheckoutCollision.error(at: item.entry, in: item.directory, of: plan.wanted, target: scan.target)
    }
  }

  private func setMode(
    _ wanted: StatEntry, before: StatEntry?, name: [UInt8], in directory: OpenDirectory
  ) throws -> StatEntry {
    var entry = wanted
    guard let stat = try directory.handle.stat(name: name), stat.kind == .regular else { return entry }
    // Whoever may read it may execute it, as git does.
    let mode =
      wanted.mode == EntryMode.executable.rawValue
      ? stat.mode | ((stat.mode & 0o444) >> 2) | 0o100 : stat.mode & ~0o111
    try directory.handle.setMode(name: name, mode)
    guard let after = try directory.handle.stat(name: name), let before, before.inode == after.inode,
      before.size == after.size, before.modified == after.modified.nanosecondsSince1970
    else { return entry }
    entry.setIdentity(after)
    entry.flags.insert(.hashed)
    if before.flags.contains(.trusted) { entry.flags.insert(.trusted) }
    return entry
  }

  // MARK: - Directories and removals

  /// Makes the directories that are to be created, from the root down, and notes where all of them are.
  private mutating func makeDirectories(in root: OpenDirectory) throws {
    var cursor = DirectoryCursor(root: root)
    let rootStat = try root.handle.stat()
    state.directories[0].device = rootStat.device
    state.directories[0].inode = rootStat.inode
    for number in state.directories.indices.dropFirst() {
      let parent = Int(state.directories[number].parent)
      let index = Int(state.directories[parent].firstEntry) + Int(state.directories[number].entryInParent)
      guard plan.actions[index] == .create else { continue }
      let directory = try cursor.directory(at: state.path(ofDirectory: parent))
      let name = Array(state.name(of: state.entries[index], in: parent))
      guard try directory.handle.makeDirectory(name: name) else {
        throw CheckoutCollision.error(at: index, in: parent, of: state, target: scan.target)
      }
      if let stat = try directory.handle.stat(name: name) {
        state.directories[number].device = stat.device
        state.directories[number].inode = stat.inode
      }
    }
  }

  /// Removes what the version lacks.
  private mutating func remove(below root: OpenDirectory) throws {
    var cursor = DirectoryCursor(root: root)
    for removal in plan.removals {
      let directory: OpenDirectory
      do throws(FileError) {
        directory = try cursor.directory(at: removal.path.parent)
      } catch {
        if error.code == .notFound || error.code == .notDirectory || error.code == .symlink { continue }
        throw error
      }
      try remove(removal, name: removal.path.lastName, from: directory)
    }
  }

  /// Removes what has the target's place and is of the other kind.
  mutating func remove(from parent: OpenDirectory, root name: [UInt8]) throws {
    let inside = plan.removals.filter { !$0.path.isRoot }
    if !inside.isEmpty {
      let root = OpenDirectory(try parent.handle.openDirectory(name: name))
      var cursor = DirectoryCursor(root: root)
      for removal in inside {
        try remove(removal, name: removal.path.lastName, from: try cursor.directory(at: removal.path.parent))
      }
    }
    for removal in plan.removals where removal.path.isRoot { try remove(removal, name: name, from: parent) }
  }

  private mutating func remove(
    _ removal: CheckoutPlan.Removal, name: [UInt8], from directory: OpenDirectory
  ) throws {
    if removal.isDirectory {
      do throws(FileError) {
        try directory.handle.removeDirectory(name: name)
      } catch {
        // Something that is not tracked stays in it.
        guard error.code == .notEmpty || error.code == .exists || error.code == .notDirectory else { throw error }
      }
      return
    }
    guard let there = try directory.handle.stat(name: name) else { return }
    let isSame =
      there.inode == removal.inode && there.modified.nanosecondsSince1970 == removal.modified
      && there.changed.nanosecondsSince1970 == removal.changed
    guard isSame || isForced else {
      let path = scan.target.appending(removal.path)
      failures.append(
        CheckoutFailure(
          path: path,
          error: WorkspaceError(
            .conflict, "'\(path)' was changed meanwhile. It was left alone; run the command again.", paths: [path])))
      return
    }
    try directory.handle.removeFile(name: name)
    filesRemoved += 1
  }

  // MARK: - Contents

  /// All that must be written or changed, in the order of the tree, which is mostly that of the packs.
  private func items() -> [CheckoutItem] {
    var items: [CheckoutItem] = []
    for number in state.directories.indices {
      for index in state.directories[number].entries where !state.entries[index].isDirectory {
        let action = plan.actions[index]
        if action != .keep && action != .keepModified {
          items.append(CheckoutItem(entry: index, directory: number, action: action))
        }
      }
    }
    return items
  }

  /// Writes contents, on all cores.
  ///
  /// - Parameter directly: Whether under their own names, in directories that nobody else knows.
  private func write(_ items: [CheckoutItem], root: OpenDirectory, directly: Bool) async throws -> [[Delivery]] {
    var batches: [[CheckoutItem]] = []
    var batch: [CheckoutItem] = []
    var bytes: UInt64 = 0
    for item in items {
      batch.append(item)
      bytes += state.entries[item.entry].size
      if batch.count >= Self.batchCount || bytes >= Self.batchBytes {
        batches.append(batch)
        batch = []
        bytes = 0
      }
    }
    if !batch.isEmpty { batches.append(batch) }
    let writer = FileDelivery(store: store, target: scan.target, prepared: prepared)
    let state = state
    let store = store
    let progress = progress
    return try await batches.mapConcurrently(width: Machine.coreCount) { batch in
      var cursor = DirectoryCursor(root: root)
      var deliveries: [Delivery] = []
      deliveries.reserveCapacity(batch.count)
      var bytes: UInt64 = 0
      var current: (number: Int, directory: OpenDirectory)?
      let contents = try await store.contents(
        ofSmallFiles: batch.map { ContentName(oid: state.entries[$0.entry].oid, size: state.entries[$0.entry].size) })
      for (item, content) in zip(batch, contents) {
        let directory: OpenDirectory
        if let current, current.number == item.directory {
          directory = current.directory
        } else {
          directory = try cursor.directory(at: state.path(ofDirectory: item.directory))
          current = (item.directory, directory)
        }
        let delivery = try await writer.deliver(item, of: state, content: content, in: directory, directly: directly)
        bytes += delivery.entry.size
        deliveries.append(delivery)
      }
      progress(batch.count, bytes)
      return deliveries
    }
  }

  private mutating func take(_ batch: [Delivery]) {
    for delivery in batch {
      if let failure = delivery.failure {
        failures.append(failure)
        remain(delivery.item)
      } else {
        state.entries[delivery.item.entry] = delivery.entry
        count(delivery.entry)
      }
    }
  }

  /// Trusts what was written under names that nobody else knew, once the clock has moved on.
  private mutating func trustWritten() {
    let rule = TrustRule(start: .now)
    for index in state.entries.indices where state.entries[index].flags.contains(.hashed) {
      state.entries[index].setTrust(rule)
    }
  }

  private mutating func count(_ entry: StatEntry) {
    filesWritten += 1
    bytesWritten += entry.size
  }

  /// Notes that one file could not be delivered, or gives up if no other can be either.
  private mutating func fail(_ item: CheckoutItem, _ error: any Error) throws {
    let error = WorkspaceError(wrapping: error)
    guard error.isAboutOneFile else { throw error }
    let path = scan.target.appending(state.path(ofEntry: item.entry, in: item.directory))
    failures.append(CheckoutFailure(path: path, error: error))
    remain(item)
  }

  /// Remembers what is still on disk where a file could not be replaced: that it may be, without loss, was found before, and the
  /// next run must not take it for the user's own.
  private mutating func remain(_ item: CheckoutItem) {
    state.entries[item.entry].flags = []
    guard let before = plan.replaced[item.entry], !isForced || before.flags.contains(.saved) else { return }
    remaining[item.entry] = SavedContent(oid: before.oid, mode: before.savedMode == 0 ? before.mode : before.savedMode)
  }

  // MARK: - The end

  consuming func report(rules: ObjectID) throws -> CheckoutReport {
    let failures = failures.sorted { $0.path < $1.path }
    var kept = state.restoringSaved(plan.bases.merging(remaining) { _, remaining in remaining })
    // A tree that is not the version's, as where only a part was checked out, may be in no store: without its oid the next add makes
    // and stores it.
    var others: [Int] = []
    for number in kept.directories.indices.reversed()
    where !kept.directories[number].isHashed && kept.canBuild(number) {
      let wanted = kept.directories[number].oid
      try kept.build(number) { _, _ in }
      if kept.directories[number].oid != wanted { others.append(number) }
    }
    for number in others { kept.directories[number].hashed = 0 }
    let saved = plan.isWhole ? plan.pointer.oid : plan.saved
    return CheckoutReport(
      cache: StatCache(state: kept, saved: saved, rules: rules), filesWritten: filesWritten, bytesWritten: bytesWritten,
      filesRemoved: filesRemoved, failures: failures)
  }
}

/// One entry that must be written or changed.
struct CheckoutItem: Sendable {
  let entry: Int
  let directory: Int
  let action: CheckoutPlan.Action
}

extension WorkspaceError {
  /// Whether others can still be delivered after this failed.
  var isAboutOneFile: Bool {
    switch code {
    case .missing, .corrupt, .denied, .conflict, .changed, .unsupported: true
    default: false
    }
  }
}

extension StatEntry {
  /// Returns whether the file is still the one that a plan was made for.
  fileprivate func hasIdentityOfPlan(_ stat: FileStat) -> Bool {
    inode == stat.inode && modified == stat.modified.nanosecondsSince1970
      && changed == stat.changed.nanosecondsSince1970
  }
}

extension TrustRule {
  /// Waits until every time the file system has given out is older than its clock.
  static func waitForClock() async throws {
    try await Task.sleep(for: .nanoseconds(grain + grain / 4))
  }
}
