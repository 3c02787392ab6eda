import DVBackend
public import DVObject

/// Makes roots complete on a remote that many push to at once, without a lock.
///
///     1  list what gc condemned, what packs are there, which roots are complete
///     2  write a pending record
///     3  copy packs, then index segments; nothing condemned, short or missing is relied on
///     4  check: every pack relied on is still there, whole, and not condemned; else copy again
///     5  write the root record: the only commit
///     6  the pending record must still be there, else check again
///
/// Nothing is overwritten. Two pushes of the same bytes write them twice at worst.
public struct RemotePush: Sendable {
  public let local: ObjectStore
  public let remote: ObjectStore
  private let progress: @Sendable (Int, Int) -> Void

  public init(
    from local: ObjectStore, to remote: ObjectStore,
    progress: @escaping @Sendable (_ bytes: Int, _ objects: Int) -> Void = { _, _ in }
  ) {
    self.local = local
    self.remote = remote
    self.progress = progress
  }

  /// Pushes `roots`.
  ///
  /// - Parameter bases: for a root's oid, earlier versions of the same data that may be complete on the remote.
  /// - Returns: what was done; with failures, the roots they affect were not committed.
  public func run(_ roots: [TransferRoot], bases: [ObjectID: [ObjectID]] = [:]) async throws -> TransferReport {
    let complete = try await RecordList(StoreLayout.roots, of: remote).complete
    let unsound = try await unsoundPacks()
    // What a damaged pack made incomplete is walked again in full, and so healed from here.
    let trusted = unsound.isEmpty ? complete : []
    var report = TransferReport()
    var missing: [TransferRoot] = []
    for root in roots {
      if trusted.contains(RootRecord.Root(root)) {
        report.skipped += 1
      } else {
        missing.append(root)
      }
    }
    if missing.isEmpty { return report }
    let known = Set(trusted.map(\.oid))
    let chosen = bases.compactMapValues { candidates in candidates.first { known.contains($0) } }
    for _ in 0..<3 {
      remote.index.condemn(try await unsoundPacks().union(condemned()))
      if let done = try await attempt(missing, bases: chosen) {
        report.objects += done.objects
        report.bytes += done.bytes
        report.packs += done.packs
        report.skipped += done.skipped
        report.failed = done.failed
        return report
      }
      try await remote.refresh()
    }
    throw StoreError(
      .busy, "Garbage collection on \(remote.name) took away three times what this push relied on. Push again later.")
  }

  /// One round of copy, check and commit; `nil` if the check failed.
  private func attempt(_ roots: [TransferRoot], bases: [ObjectID: ObjectID]) async throws -> TransferReport? {
    let time = try await clock()
    var pending = RootRecord(kind: .pending, time: UInt64(max(0, time)), roots: Set(roots.map(RootRecord.Root.init)))
    let pendingKey = try await write(pending, in: StoreLayout.pending, time: time)
    let writer = ObjectWriter(store: remote, recordsReuse: true)
    let transfer = Transfer(.push, from: local, to: remote, progress: progress)
    let report = try await transfer.run(roots, bases: bases, writer: writer)
    let reused = writer.reused
    guard try await isSound(reused) else {
      try await delete(pendingKey)
      return nil
    }
    let committed = report.failed.isEmpty ? roots : unaffected(roots, by: report.failed)
    if !committed.isEmpty {
      let record = RootRecord(
        kind: .root, time: UInt64(max(0, time)), roots: Set(committed.map(RootRecord.Root.init)))
      let key = try await write(record, in: StoreLayout.roots, time: try await clock())
      // A collector that took the pending record away may not have counted this push.
      pending.packs = Set(reused.map(\.id))
      let isPending = try await exists(pendingKey)
      let sound = try await isSound(reused)
      if !isPending, !sound {
        try await delete(key)
        return nil
      }
    }
    try await delete(pendingKey)
    try await mergeRoots()
    return report
  }

  /// Roots that no failure concerns.
  private func unaffected(_ roots: [TransferRoot], by failures: [TransferFailure]) -> [TransferRoot] {
    let labels = failures.flatMap(\.affects)
    return roots.filter { root in !labels.contains { $0 == root.label || $0.hasPrefix(root.label + "/") } }
  }

  // MARK: Checks

  /// Packs that are not there or not as long as the index says: damaged behind dv's back.
  private func unsoundPacks() async throws -> Set<ObjectID> {
    var sizes: [ObjectID: UInt64] = [:]
    for entry in try await list(StoreLayout.packs) {
      if let id = StoreLayout.pack(from: entry.key) { sizes[id] = entry.size }
    }
    var unsound: Set<ObjectID> = []
    for segment in remote.index.all {
      for container in segment.head.containers where container.kind == .pack && sizes[container.id] != container.size {
        unsound.insert(container.id)
      }
    }
    return unsound
  }

  private func condemned() async throws -> Set<ObjectID> {
    try await CondemnedList(of: remote).packs
  }

  /// Whether every container is there, whole, and not condemned.
  private func isSound(_ containers: Set<IndexContainer>) async throws -> Bool {
    if containers.isEmpty { return true }
    let condemned = try await condemned()
    for container in containers {
      if condemned.contains(container.id) { return false }
      do {
        guard try await remote.backend.size(of: StoreLayout.container(container)) == container.size else { return false }
      } catch {
        throw StoreError(error)
      }
    }
    return true
  }

  // MARK: Keys

  private func clock() async throws(StoreError) -> Int64 {
    do { return try await remote.backend.clock() } catch { throw StoreError(error) }
  }

  private func exists(_ key: BackendKey) async throws(StoreError) -> Bool {
    do { return try await remote.backend.size(of: key) != nil } catch { throw StoreError(error) }
  }

  private func list(_ prefix: String) async throws(StoreError) -> [BackendEntry] {
    do { return try await remote.backend.list(prefix) } catch { throw StoreError(error) }
  }

  private func delete(_ key: BackendKey) async throws(StoreError) {
    // A push never needs permission to delete: what stays is removed by gc.
    do { try await remote.backend.delete(key) } catch { if error.code != .denied { throw StoreError(error) } }
  }

  private func write(_ record: RootRecord, in folder: String, time: Int64) async throws(StoreError) -> BackendKey {
    let bytes = record.encoded()
    let key = StoreLayout.record(folder, ulid: ULID(seconds: Double(time)), id: ObjectID(hashing: bytes.span))
    do { try await remote.backend.put(bytes, at: key) } catch { throw StoreError(error) }
    return key
  }

  /// Merges root records when there are more than 64, so that reading them stays cheap.
  private func mergeRoots() async throws {
    let list = try await RecordList(StoreLayout.roots, of: remote)
    guard list.items.count > 64 else { return }
    let merged = RootRecord(
      kind: .root, time: list.items.map(\.record.time).max() ?? 0, roots: list.complete,
      supersedes: Set(list.items.compactMap { $0.key.text.split(separator: "/").last.map(String.init) }))
    _ = try await write(merged, in: StoreLayout.roots, time: try await clock())
    for item in list.items { try await delete(item.key) }
  }
}

extension RootRecord.Root {
  init(_ root: TransferRoot) { self.init(kind: root.kind, oid: root.oid, size: root.size) }
}
