import DVBackend
import DVObject

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
  /// - Parameter known: records read before: they never change, so their keys suffice.
  init(_ folder: String, of store: ObjectStore, known: [BackendKey: RootRecord] = [:]) async throws(StoreError) {
    let listed: [BackendEntry]
    do { listed = try await store.backend.list(folder) } catch { throw StoreError(error) }
    for entry in listed {
      guard let (ulid, id) = StoreLayout.record(from: entry.key) else { continue }
      if let record = known[entry.key] {
        items.append(Item(key: entry.key, ulid: ulid, record: record))
        continue
      }
      do {
        // Gone since it was listed: merged into another, which is listed too or comes with the next look.
        guard let bytes = try await store.backend.get(entry.key) else { continue }
        guard ObjectID(hashing: bytes.span) == id else { throw RecordError("its bytes are not those its name says") }
        items.append(Item(key: entry.key, ulid: ulid, record: try RootRecord(decoding: bytes)))
      } catch let error as BackendError {
        throw StoreError(error)
      } catch {
        throw StoreError(
          .corrupt, "The record '\(entry.key)' of \(store.name) cannot be read: \(error). Run 'dv remote check'.",
          cause: error)
      }
    }
  }
}
