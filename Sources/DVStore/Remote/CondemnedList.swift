import DVBackend
public import DVObject

/// What gc means to delete, and since when.
///
/// A condemned record is text; its key ends with the SHA-256 of it:
///
///     dv-condemned 1
///     time 1790000000          seconds since 1970, by the store's clock
///     pack sha256:…
struct CondemnedList: Sendable {
  struct Item: Sendable {
    let key: BackendKey
    /// Seconds since 1970.
    let time: UInt64
    let packs: Set<ObjectID>
  }

  private(set) var items: [Item] = []

  /// All packs named.
  var packs: Set<ObjectID> { items.reduce(into: []) { $0.formUnion($1.packs) } }

  /// Reads all records.
  init(of store: ObjectStore) async throws(StoreError) {
    let listed = try await store.list(StoreLayout.condemned)
    for entry in listed {
      guard let (_, id) = StoreLayout.record(from: entry.key) else { continue }
      do {
        guard let bytes = try await store.backend.get(entry.key) else { continue }
        guard ObjectID(hashing: bytes.span) == id else { throw RecordError("its bytes are not those its name says") }
        items.append(try Self.decode(bytes, key: entry.key))
      } catch let error as BackendError {
        throw StoreError(error)
      } catch {
        throw StoreError(.corrupt, "The record '\(entry.key)' of \(store.name) cannot be read: \(error).", cause: error)
      }
    }
  }

  static func encode(time: UInt64, packs: Set<ObjectID>) -> [UInt8] {
    let lines = ["dv-condemned 1", "time \(time)"] + packs.sorted().map { "pack \($0.text)" }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  private static func decode(_ bytes: [UInt8], key: BackendKey) throws -> Item {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count >= 2, lines[0] == "dv-condemned 1", lines[1].hasPrefix("time "),
      let time = UInt64(lines[1].dropFirst(5))
    else { throw RecordError("it does not begin as one; a newer dv may have made it") }
    var packs: Set<ObjectID> = []
    for line in lines.dropFirst(2) {
      guard line.hasPrefix("pack ") else { throw RecordError("it has a line of an unknown kind") }
      packs.insert(try ObjectID(text: line.dropFirst(5)))
    }
    guard encode(time: time, packs: packs) == bytes else { throw RecordError("it is not in canonical form") }
    return Item(key: key, time: time, packs: packs)
  }
}

extension ObjectStore {
  /// Relies from now on on no pack that garbage collection means to delete: what lies in one is stored again.
  ///
  /// Whoever writes to a store that may be collected calls this first.
  public func avoidCondemned() async throws(StoreError) {
    index.condemn(try await CondemnedList(of: self).packs)
  }

  /// Relies from now on on no pack that is missing or of a wrong length, nor on one that is condemned.
  ///
  /// - Returns: the packs that are missing or of a wrong length.
  public func avoidUnsound() async throws(StoreError) -> Set<ObjectID> {
    let unsound = try await PackSurvey(of: self).unsound
    index.condemn(try await CondemnedList(of: self).packs.union(unsound))
    return unsound
  }
}
