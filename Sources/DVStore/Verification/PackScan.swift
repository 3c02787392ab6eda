import DVBackend
import DVObject
import DVZlib

/// What looking at one pack showed.
struct PackScan: Sendable {
  /// A part that is not what it must be.
  struct BadEntry: Hashable, Sendable {
    /// The object that should be there, if that can be told.
    let key: ObjectKey?
    /// Where its stored bytes begin.
    let offset: UInt64
    let message: String
  }

  let container: IndexContainer
  /// The entries that can be relied on, by their offset: proved, if the pack was read, else what its table says.
  private(set) var entries: [PackTableEntry] = []
  private(set) var bad: [BadEntry] = []
  /// What is wrong with the pack itself.
  private(set) var problems: [String] = []
  /// Bytes read, if all were.
  private(set) var bytesRead: UInt64?

  var isSound: Bool { bad.isEmpty && problems.isEmpty }

  init(_ container: IndexContainer) { self.container = container }

  /// Where everything of a pack lies.
  static func place(_ id: ObjectID, _ offset: UInt64) -> String { "\(StoreLayout.pack(id)) at \(offset)" }

  /// Returns the entry whose stored bytes begin at `offset`.
  func entry(at offset: UInt64) -> PackTableEntry? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if UInt64(entries[middle].offset) < offset { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && UInt64(entries[low].offset) == offset ? entries[low] : nil
  }

  /// Adds something that is wrong with the pack.
  mutating func note(_ problem: String) { problems.append(problem) }

  // MARK: - Looking

  /// Reads the header and the table: two or three small reads.
  mutating func look(in store: ObjectStore) async throws {
    let key = StoreLayout.container(container)
    do {
      let length = UInt64(PackHeader.byteCount)
      guard container.size >= length, let bytes = try await store.backend.get(key, range: 0..<length) else {
        throw PackFormatError.truncated("the header")
      }
      _ = try PackHeader(decoding: bytes.span)
    } catch {
      problems.append(try Self.damage(error))
    }
    if let table = try await table(in: store) { entries = table.entries }
  }

  private mutating func table(in store: ObjectStore) async throws -> PackTable? {
    do {
      if let table = try await store.backend.table(of: container) { return table }
      problems.append("truncated")
    } catch {
      problems.append(try Self.damage(error))
    }
    return nil
  }

  /// What an error says of the pack, if it is about the pack.
  private static func damage(_ error: any Error) throws -> String {
    if let error = error as? PackFormatError { return error.description }
    if let error = error as? BackendError {
      if error.code == .corrupt { return error.message }
      throw StoreError(error)
    }
    throw error
  }

  // MARK: - Reading

  /// Reads every byte: the name, every entry, every object.
  ///
  /// With a table that is whole, its rows say where the entries are. Without, the pack is walked from entry to entry, and
  /// past damage the next entry is looked for.
  ///
  /// - Parameter progress: called with bytes read.
  mutating func read(in store: ObjectStore, progress: @escaping (UInt64) -> Void = { _ in }) async throws {
    let table = try await table(in: store)
    entries = []
    var window = PackWindow(container, of: store.backend)
    window.progress = progress
    if try await window.load(upTo: UInt64(PackHeader.byteCount)) {
      do { _ = try PackHeader(decoding: window.held.span.extracting(window.held(0..<UInt64(PackHeader.byteCount)))) } catch {
        problems.append(error.description)
      }
    } else {
      problems.append("truncated in the header")
    }
    let decoder = try store.coders.takeDecoder()
    defer { store.coders.give(decoder) }
    var object: [UInt8] = []
    if let table {
      try await read(table, &window, decoder, &object)
    } else {
      try await walk(&window, decoder, &object)
    }
    if try await window.finish() != container.id, isSound {
      problems.append("its bytes are not those its name says")
    }
    bytesRead = window.count
  }

  private mutating func read(
    _ table: PackTable, _ window: inout PackWindow, _ decoder: ObjectDecoder, _ object: inout [UInt8]
  ) async throws {
    for row in table.entries {
      let start = UInt64(row.offset - PackEntryHeader.byteCount)
      let end = UInt64(row.offset + row.storedLength)
      window.forget(before: start)
      guard try await window.load(upTo: end) else {
        bad.append(BadEntry(key: row.key, offset: UInt64(row.offset), message: "truncated"))
        continue
      }
      if let reason = Self.reason(window.held.span.extracting(window.held(UInt64(row.offset)..<end)), row, decoder, &object) {
        bad.append(BadEntry(key: row.key, offset: UInt64(row.offset), message: reason))
        continue
      }
      entries.append(row)
      let header = try? PackEntryHeader(decoding: window.held.span.extracting(window.held(start..<UInt64(row.offset))), crc32: CRC32.checksum)
      if header.map({ PackTableEntry(header: $0, offset: row.offset) }) != row {
        problems.append("damaged in the header of the entry at \(start)")
      }
    }
  }

  /// Goes from entry to entry without a table.
  private mutating func walk(
    _ window: inout PackWindow, _ decoder: ObjectDecoder, _ object: inout [UInt8]
  ) async throws {
    let headerLength = UInt64(PackEntryHeader.byteCount)
    var at = UInt64(PackHeader.byteCount)
    while at + headerLength <= container.size {
      window.forget(before: at)
      guard try await window.load(upTo: at + headerLength) else { break }
      guard let header = try? PackEntryHeader(decoding: window.held.span.extracting(window.held(at..<(at + headerLength))), crc32: CRC32.checksum)
      else {
        guard let next = try await window.next(PackEntryHeader.magic, after: at) else { break }
        at = next
        continue
      }
      let row = PackTableEntry(header: header, offset: Int(at + headerLength))
      let end = at + headerLength + UInt64(row.storedLength)
      guard try await window.load(upTo: end) else {
        bad.append(BadEntry(key: row.key, offset: UInt64(row.offset), message: "truncated"))
        break
      }
      if let reason = Self.reason(window.held.span.extracting(window.held(UInt64(row.offset)..<end)), row, decoder, &object) {
        bad.append(BadEntry(key: row.key, offset: UInt64(row.offset), message: reason))
        // The next header may stand inside what this one claims to be its own.
        guard let next = try await window.next(PackEntryHeader.magic, after: at) else { break }
        at = next
        continue
      }
      entries.append(row)
      at = end
    }
  }

  /// Says why stored bytes are not those of an object; `nil` if they are.
  private static func reason(
    _ stored: Span<UInt8>, _ row: PackTableEntry, _ decoder: ObjectDecoder, _ object: inout [UInt8]
  ) -> String? {
    do throws(PackFormatError) {
      try decoder.decode(stored, codec: row.codec, length: row.length, into: &object)
    } catch {
      return error.description
    }
    if row.key.kind.isNamedByContent, ObjectID(hashing: object.span) != row.key.id {
      return "its bytes are not those its name says"
    }
    do {
      switch row.key.kind {
      case .chunk: break
      case .treeNode: _ = try TreeNode(decoding: object)
      case .chunkList, .chunkListNode: _ = try ChunkListNode(decoding: object.span)
      case .placeList: _ = try PlaceList(decoding: object.span)
      }
    } catch {
      return "\(error)"
    }
    return nil
  }
}

/// A pack that is read from its beginning to its end, some megabytes at a time.
private struct PackWindow {
  private let container: IndexContainer
  private let key: BackendKey
  private let backend: any Backend
  /// Where ``held`` begins in the pack.
  private var start: UInt64 = 0
  private(set) var held: [UInt8] = []
  private var digest = Digest()
  var progress: (UInt64) -> Void = { _ in }
  private var isGone = false

  /// Bytes asked for at a time.
  private static let step: UInt64 = 4 << 20

  init(_ container: IndexContainer, of backend: any Backend) {
    self.container = container
    self.backend = backend
    key = StoreLayout.container(container)
  }

  /// Bytes read so far: those before it are hashed.
  var count: UInt64 { start + UInt64(held.count) }

  /// Reads on until all before `end` was read.
  ///
  /// - Returns: whether there is that much.
  mutating func load(upTo end: UInt64) async throws -> Bool {
    while count < end {
      let next = min(max(end, count + Self.step), container.size)
      guard next > count, !isGone else { return false }
      do throws(BackendError) {
        guard let bytes = try await backend.get(key, range: count..<next) else {
          isGone = true
          return false
        }
        digest.update(bytes.span)
        progress(UInt64(bytes.count))
        held += bytes
      } catch {
        guard error.code == .corrupt else { throw StoreError(error) }
        isGone = true
      }
    }
    return true
  }

  /// Gives up what lies before `offset`.
  mutating func forget(before offset: UInt64) {
    // Not for every entry: what remains is moved.
    guard offset >= start + Self.step else { return }
    held.removeFirst(Int(min(offset - start, UInt64(held.count))))
    start = offset
  }

  /// Where in ``held`` a range of the pack lies, which was loaded and not given up.
  func held(_ range: Range<UInt64>) -> Range<Int> {
    Int(range.lowerBound - start)..<Int(range.upperBound - start)
  }

  /// Returns where `pattern` begins next, behind `offset`.
  mutating func next(_ pattern: [UInt8], after offset: UInt64) async throws -> UInt64? {
    var at = offset + 1
    while true {
      guard try await load(upTo: at + UInt64(pattern.count)) else { return nil }
      let last = Int(count - start) - pattern.count
      var index = Int(at - start)
      while index <= last {
        if held[index] == pattern[0], held[index...].starts(with: pattern) { return start + UInt64(index) }
        index += 1
      }
      at = start + UInt64(index)
      forget(before: at)
    }
  }

  /// Reads to the end and returns the SHA-256 of everything.
  mutating func finish() async throws -> ObjectID {
    while count < container.size {
      forget(before: count)
      guard try await load(upTo: min(count + Self.step, container.size)) else { break }
    }
    return digest.finish()
  }
}
