import DVBackend
import DVObject

extension ObjectStore {
  /// Lists what there is below a prefix.
  func list(_ prefix: String) async throws(StoreError) -> [BackendEntry] {
    do { return try await backend.list(prefix) } catch { throw StoreError(error) }
  }
}

/// The records under one folder of a store, read whole.
struct RecordList: Sendable {
  struct Item: Sendable {
    let key: BackendKey
    let ulid: ULID
    let record: RootRecord
  }

  private(set) var items: [Item] = []

  /// What is complete, by all records together.
  var complete: Set<RootRecord.Root> { items.reduce(into: []) { $0.formUnion($1.record.roots) } }

  /// Lists and reads the records under `folder`, each checked against its name.
  ///
  /// A record that was listed and is gone was merged into another, so the list is read again: the roots are always all there.
  ///
  /// - Parameter known: records read before: they never change, so their keys suffice.
  init(_ folder: String, of store: ObjectStore, known: RecordList? = nil) async throws(StoreError) {
    var read = Dictionary(known?.items.map { ($0.key, $0) } ?? [], uniquingKeysWith: { first, _ in first })
    for _ in 0..<16 {
      let listed = try await store.list(folder)
      var found: [Item] = []
      var isComplete = true
      for entry in listed {
        guard let (ulid, id) = StoreLayout.record(from: entry.key) else { continue }
        if read[entry.key] == nil {
          guard let record = try await Self.read(entry.key, id, of: store) else {
            isComplete = false
            continue
          }
          read[entry.key] = Item(key: entry.key, ulid: ulid, record: record)
        }
        if let item = read[entry.key] { found.append(item) }
      }
      if isComplete {
        items = found
        return
      }
    }
    throw StoreError(.busy, "The records in '\(folder)' of \(store.name) keep changing while they are read. Try again.")
  }

  /// Reads one record; `nil` if it is gone.
  private static func read(_ key: BackendKey, _ id: ObjectID, of store: ObjectStore) async throws(StoreError) -> RootRecord? {
    do {
      guard let bytes = try await store.backend.get(key) else { return nil }
      guard ObjectID(hashing: bytes.span) == id else { throw RecordError("its bytes are not those its name says") }
      return try RootRecord(decoding: bytes)
    } catch let error as BackendError {
      throw StoreError(error)
    } catch {
      throw StoreError(
        .corrupt,
        "The record '\(key)' of \(store.name) is damaged: \(error).",
        cause: error)
    }
  }
}
