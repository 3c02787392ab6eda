import DVBackend
import DVObject

/// The root, pending, retired and condemned records of a store, each checked by itself.
struct RecordScan: Sendable {
  /// A record that is not what its name says.
  struct Damaged: Sendable {
    let key: BackendKey
    let folder: String
    let message: String
    /// Of a root record: what its readable lines name. Any of it may be wrong.
    let candidates: Set<RootRecord.Root>
  }

  /// What readable root records that are believed say is complete, and the first record that says so. See ``RootLedger``.
  private(set) var roots: [RootRecord.Root: BackendKey] = [:]
  private(set) var damaged: [Damaged] = []
  private(set) var count = 0
  /// Keys in these folders whose names nobody understands.
  private(set) var unknown: [BackendKey] = []

  init(of store: ObjectStore) async throws(StoreError) {
    for folder in [StoreLayout.roots, StoreLayout.pending, StoreLayout.retired, StoreLayout.condemned] {
      for entry in try await store.list(folder) {
        guard let (ulid, id) = StoreLayout.record(from: entry.key) else {
          unknown.append(entry.key)
          continue
        }
        if folder == StoreLayout.pending { doubtful.insert(ulid) }
        try await read(entry, id, in: folder, of: store)
      }
    }
    for item in found where item.record.roots.isEmpty { doubtful.remove(item.ulid) }
    for item in found where !doubtful.contains(item.ulid) && !dead.contains(item.ulid) && !retired.contains(item.name) {
      for root in item.record.roots where roots[root] == nil { roots[root] = item.key }
    }
  }

  private var found: [RecordList.Item] = []
  /// Pushes that are not over, and those that were given up.
  private var doubtful: Set<ULID> = []
  private var dead: Set<ULID> = []
  /// Names of roots that need not be kept.
  private var retired: Set<String> = []

  private mutating func read(
    _ entry: BackendEntry, _ id: ObjectID, in folder: String, of store: ObjectStore
  ) async throws(StoreError) {
    guard entry.size <= UInt64(RootRecord.byteLimit) else {
      return note(entry.key, folder, "it has \(entry.size) bytes, more than any record", [])
    }
    let bytes: [UInt8]?
    do { bytes = try await store.backend.get(entry.key) } catch {
      guard error.code == .corrupt else { throw StoreError(error) }
      return note(entry.key, folder, error.message, [])
    }
    // Merged or taken back meanwhile.
    guard let bytes else { return }
    count += 1
    guard ObjectID(hashing: bytes.span) == id else {
      return note(
        entry.key, folder, "its bytes are not those its name says",
        folder == StoreLayout.roots ? RootRecord.candidates(in: bytes) : [])
    }
    guard folder != StoreLayout.condemned else { return }
    do {
      if folder == StoreLayout.retired {
        let item = try RetiredList.decode(bytes, key: entry.key)
        dead.formUnion(item.pushes)
        retired.formUnion(item.roots)
        return
      }
      let record = try RootRecord(decoding: bytes)
      guard folder == StoreLayout.roots, let (ulid, _) = StoreLayout.record(from: entry.key) else { return }
      found.append(RecordList.Item(key: entry.key, ulid: ulid, record: record))
    } catch {
      note(entry.key, folder, "\(error)", [])
    }
  }

  private mutating func note(_ key: BackendKey, _ folder: String, _ message: String, _ roots: Set<RootRecord.Root>) {
    damaged.append(Damaged(key: key, folder: folder, message: message, candidates: roots))
  }
}

extension RootRecord {
  /// Returns what the lines of a damaged record seem to name; lines that make no sense are passed over.
  static func candidates(in bytes: [UInt8]) -> Set<Root> {
    var roots: Set<Root> = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
      guard words.count == 3, let kind = TransferRoot.Kind(rawValue: words[0]),
        let oid = try? ObjectID(text: words[1]), let size = UInt64(words[2])
      else { continue }
      roots.insert(Root(kind: kind, oid: oid, size: size))
    }
    return roots
  }
}
