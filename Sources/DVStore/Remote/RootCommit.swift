import DVBackend
import DVObject

/// Says on a store that contents are complete, beside collections that may be taking away what that relies on.
///
///     1  pending record           from here on the roots to come are not believed
///     2  …the caller's work…
///     3  roots, of the same time-ordered name
///     4  check                    the caller's: was anything taken away?   if so, the roots are deleted again
///     5  pending is deleted       from here on the roots are believed
///     6  last look                was the push given up by gc, because it took so long? then it did not succeed
///
/// After a failed check the pending record stays: a reader that saw the roots must not take its absence for success. gc removes
/// it.
struct RootCommit {
  private let store: ObjectStore
  private let ulid: ULID
  private let pending: [BackendKey]
  /// When it began, in seconds since 1970, by the store's clock.
  let start: Int64

  /// Begins.
  init(of roots: [RootRecord.Root], on store: ObjectStore) async throws(StoreError) {
    self.store = store
    start = try await Self.clock(store)
    ulid = ULID(seconds: Double(start))
    pending = try await Self.write(roots, as: .pending, in: StoreLayout.pending, ulid, time: start, to: store)
  }

  /// Ends without having written a root.
  func abandon() async throws(StoreError) { try await Self.delete(pending, of: store) }

  /// Writes the roots.
  ///
  /// - Parameters:
  ///   - superseded: names of roots that these stand in for.
  ///   - check: whether all that the roots need is there, and stays: called when they are written.
  /// - Returns: whether they are believed from now on. If not, the push has to be done again.
  func finish(
    _ roots: [RootRecord.Root], superseding superseded: Set<String> = [], check: () async throws -> Bool
  ) async throws -> Bool {
    let time = try await Self.clock(store)
    let keys = try await Self.write(
      roots, as: .root, in: StoreLayout.roots, ulid, time: time, superseding: superseded, to: store)
    guard try await check() else {
      try await Self.delete(keys, of: store)
      return false
    }
    if try await !Self.delete(pending, of: store) {
      // Where nobody may delete, a root without content says the same.
      let record = RootRecord(kind: .root, time: UInt64(max(0, time)), roots: [])
      _ = try await Self.write(record, in: StoreLayout.roots, ulid, to: store)
    }
    return try await !RetiredList(of: store).pushes.contains(ulid)
  }

  /// Whether a root was written by this commit.
  func isOwn(_ item: RecordList.Item) -> Bool { item.ulid == ulid }

  // MARK: Steps

  private static func clock(_ store: ObjectStore) async throws(StoreError) -> Int64 {
    do { return try await store.backend.clock() } catch { throw StoreError(error) }
  }

  /// - Returns: whether all are gone. What may not be deleted stays for gc: a push needs no permission to delete.
  @discardableResult
  static func delete(_ keys: [BackendKey], of store: ObjectStore) async throws(StoreError) -> Bool {
    do {
      try await store.backend.delete(keys)
      return true
    } catch {
      guard error.code == .denied else { throw StoreError(error) }
      return false
    }
  }

  /// Writes records of roots, each of at most ``RootRecord/rootLimit``.
  private static func write(
    _ roots: [RootRecord.Root], as kind: RootRecord.Kind, in folder: String, _ ulid: ULID, time: Int64,
    superseding superseded: Set<String> = [], to store: ObjectStore
  ) async throws(StoreError) -> [BackendKey] {
    var keys: [BackendKey] = []
    for start in stride(from: 0, to: max(1, roots.count), by: RootRecord.rootLimit) {
      let part = roots[start..<min(start + RootRecord.rootLimit, roots.count)]
      let record = RootRecord(kind: kind, time: UInt64(max(0, time)), roots: Set(part), supersedes: superseded)
      keys.append(try await write(record, in: folder, ulid, to: store))
    }
    return keys
  }

  private static func write(
    _ record: RootRecord, in folder: String, _ ulid: ULID, to store: ObjectStore
  ) async throws(StoreError) -> BackendKey {
    let bytes = record.encoded()
    let key = StoreLayout.record(folder, ulid: ulid, id: ObjectID(hashing: bytes.span))
    do { try await store.backend.put(bytes, at: key) } catch { throw StoreError(error) }
    return key
  }
}
