import DVBackend
import DVObject

/// Tombstones: roots that need not be kept, and pushes that are over without having succeeded.
///
///     dv-retired 1
///     time 1790000000          seconds since 1970, by the store's clock
///     push 01k…                a push that was given up: no root of it is believed, ever
///     root 01k…-9c41…          the name of a root that need not be kept, one grace after the time
///
/// Lines of one kind stand together, in this order, ascending; every line ends with LF. The record's key ends with the
/// SHA-256 of these bytes.
///
/// A push that was given up stays so for ever: it may be suspended, and write its root long after. That is why its line is
/// never removed.
struct RetiredList: Sendable {
  struct Item: Sendable {
    let key: BackendKey
    /// Seconds since 1970.
    let time: UInt64
    let pushes: Set<ULID>
    /// Names of roots: their keys after `roots/`.
    let roots: Set<String>
  }

  private(set) var items: [Item] = []

  /// An empty list.
  init() {}

  /// The pushes that were given up.
  var pushes: Set<ULID> { items.reduce(into: []) { $0.formUnion($1.pushes) } }

  /// The roots that need not be kept, from now on or soon.
  var roots: Set<String> { items.reduce(into: []) { $0.formUnion($1.roots) } }

  /// Lists and reads the records, each checked against its name.
  init(of store: ObjectStore) async throws(StoreError) {
    let listed = try await store.list(StoreLayout.retired)
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

  static func encode(time: UInt64, pushes: Set<ULID> = [], roots: Set<String> = []) -> [UInt8] {
    let lines =
      ["dv-retired 1", "time \(time)"] + pushes.sorted().map { "push \($0)" } + roots.sorted().map { "root \($0)" }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  static func decode(_ bytes: [UInt8], key: BackendKey) throws -> Item {
    guard bytes.count <= RootRecord.byteLimit else { throw RecordError("it has \(bytes.count) bytes") }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count >= 2, lines[0] == "dv-retired 1", lines[1].hasPrefix("time "),
      let time = UInt64(lines[1].dropFirst(5))
    else { throw RecordError("it does not begin as one; a newer dv may have made it") }
    var (pushes, roots): (Set<ULID>, Set<String>) = ([], [])
    for line in lines.dropFirst(2) {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      if words.count == 2, words[0] == "push", let ulid = ULID(String(words[1])) {
        pushes.insert(ulid)
      } else if words.count == 2, words[0] == "root" {
        roots.insert(String(words[1]))
      } else {
        throw RecordError("it has a line of an unknown kind; a newer dv may have made it")
      }
    }
    guard encode(time: time, pushes: pushes, roots: roots) == bytes else { throw RecordError("it is not in canonical form") }
    return Item(key: key, time: time, pushes: pushes, roots: roots)
  }
}

extension Set where Element: Comparable {
  /// Cuts a set into parts, by the order of its elements.
  func parts(ofAtMost limit: Int) -> [Set] {
    if count <= limit { return isEmpty ? [] : [self] }
    let all = sorted()
    return stride(from: 0, to: count, by: limit).map { Set(all[$0..<Swift.min($0 + limit, count)]) }
  }
}

extension ObjectStore {
  /// Stores a record whose name is the time and its digest.
  @discardableResult
  func write(record bytes: [UInt8], in folder: String, time: Int64) async throws(StoreError) -> BackendKey {
    let key = StoreLayout.record(folder, ulid: ULID(seconds: Double(max(0, time))), id: ObjectID(hashing: bytes.span))
    do { try await backend.put(bytes, at: key) } catch { throw StoreError(error) }
    return key
  }

  /// Writes that gc means to delete packs: a record, or several if one would be longer than what is read of one.
  @discardableResult
  func condemn(_ packs: Set<ObjectID>, time: Int64) async throws(StoreError) -> [BackendKey] {
    var keys: [BackendKey] = []
    for part in packs.parts(ofAtMost: RootRecord.rootLimit) {
      keys.append(
        try await write(
          record: CondemnedList.encode(time: UInt64(max(0, time)), packs: part), in: StoreLayout.condemned, time: time))
    }
    return keys
  }
}
