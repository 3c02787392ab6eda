import DVBackend
import DVFile
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
  /// Records that are read at once.
  private static let width = 16

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
      let named = listed.compactMap { entry in StoreLayout.record(from: entry.key).map { (key: entry.key, ulid: $0.ulid, id: $0.id) } }
      let fresh = named.filter { read[$0.key] == nil }
      do {
        for item in try await fresh.mapConcurrently(width: Self.width, { record in
          try await Self.read(record.key, record.id, of: store).map { Item(key: record.key, ulid: record.ulid, record: $0) }
        }) {
          if let item { read[item.key] = item }
        }
      } catch {
        throw StoreError(wrapping: error)
      }
      items = named.compactMap { read[$0.key] }
      if items.count == named.count { return }
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

extension [RecordList.Item] {
  /// Those that no other of them stands in for: where nobody may delete, the others stay.
  var withoutSuperseded: [RecordList.Item] {
    let superseded = reduce(into: Set<String>()) { $0.formUnion($1.record.supersedes) }
    return superseded.isEmpty ? self : filter { !superseded.contains($0.name) }
  }
}
