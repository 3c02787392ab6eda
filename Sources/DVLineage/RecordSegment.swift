public import DVObject

/// Many records as one immutable value, with tables by key and by what the runs made. See `docs/format/record-segment.md`.
///
/// Integers are unsigned and big-endian:
///
///     offset  size  meaning
///          0     8  `dv-recrd`
///          8     2  version: 1
///         10     2  bits of features that a reader must know: 0
///         12     4  number of records, n: 1 to 65,536
///         16     4  number of keys, k
///         20     4  number of outputs, o
///         24     4  number of superseded segments, s
///         28     4  bytes of all records together
///         32  36 n  records by ID: the ID, and where its bytes end, counted from the first record's
///             36 k  keys: the key, and the number of the record from 0
///             36 o  outputs: the oid, and the number of the record
///             32 s  names of the segments that this one stands in for
///                   the records, one after another
///
/// Tables ascend, by their whole entries. The segment is named by the SHA-256 of its bytes.
public struct RecordSegment: Sendable {
  /// The most records of a segment, and segments that one may stand in for.
  public static let maximumCount = 1 << 16
  /// The most bytes of a segment that can be read.
  public static let maximumByteCount = headerSize + maximumCount * (3 * entrySize + 32 + Record.maximumByteCount)
  private static let magic = Array("dv-recrd".utf8)
  private static let headerSize = 32
  private static let entrySize = 36
  /// Keys and outputs that one record may add to the tables, on the average.
  private static let tableFactor = 16

  public let id: ObjectID
  public let bytes: [UInt8]
  /// The names of segments that need not be read any more.
  public let superseded: [ObjectID]
  private let count: Int
  private let keys: Int
  private let outputs: Int
  private let start: Int

  // MARK: - Writing

  /// Makes a segment.
  ///
  /// - Parameter records: 1 to ``maximumCount``, in any order; one that is there twice counts once.
  public init(_ records: some Sequence<Record>, superseding: [ObjectID] = []) throws(RecordError) {
    var seen: Set<ObjectID> = []
    let records = records.filter { seen.insert($0.id).inserted }.sorted { $0.id < $1.id }
    var keys: [(ObjectID, Int)] = []
    var outputs: [(ObjectID, Int)] = []
    for (number, record) in records.enumerated() {
      if let key = record.json["key"]?.string.flatMap({ try? ObjectID(hex: $0) }) { keys.append((key, number)) }
      let made = (record.json["outputs"]?.array ?? []).compactMap { $0["oid"]?.string.flatMap { try? ObjectID(hex: $0) } }
      for oid in Set(made) { outputs.append((oid, number)) }
    }
    keys.sort { $0 < $1 }
    outputs.sort { $0 < $1 }
    let superseded = Set(superseding).sorted()
    var bytes = Self.magic
    bytes.append(bigEndian: 1 as UInt16)
    bytes.append(bigEndian: 0 as UInt16)
    let size = records.reduce(0) { $0 + $1.bytes.count }
    for value in [records.count, keys.count, outputs.count, superseded.count, size] { bytes.append(bigEndian: UInt32(value)) }
    var end = 0
    for record in records {
      end += record.bytes.count
      Self.append(record.id, end, to: &bytes)
    }
    for (key, number) in keys { Self.append(key, number, to: &bytes) }
    for (oid, number) in outputs { Self.append(oid, number, to: &bytes) }
    for id in superseded { id.append(to: &bytes) }
    for record in records { bytes += record.bytes }
    // Read back like anybody's: what is written can be read.
    try self.init(decoding: bytes)
  }

  private static func append(_ id: ObjectID, _ number: Int, to bytes: inout [UInt8]) {
    id.append(to: &bytes)
    bytes.append(bigEndian: UInt32(number))
  }

  // MARK: - Reading

  /// Reads a segment, whose tables are checked as a whole; each record is checked against its name when it is asked for.
  ///
  /// - Parameter name: the name it was found under.
  /// - Throws: ``RecordError/Code/altered`` if it is not the one of that name, ``RecordError/Code/malformed`` if it is none.
  public init(decoding bytes: [UInt8], named name: ObjectID? = nil) throws(RecordError) {
    id = ObjectID(hashing: bytes.span)
    if let name, name != id {
      throw RecordError(.altered, "The records segment \(name.shortHex) has other bytes than its name says.")
    }
    func number(_ offset: Int) -> Int { Int(bytes.span.bigEndian(UInt32.self, at: offset)) }
    guard bytes.count >= Self.headerSize, bytes.starts(with: Self.magic) else { throw Self.malformed(id, "it begins otherwise") }
    guard bytes.span.bigEndian(UInt16.self, at: 8) == 1, bytes.span.bigEndian(UInt16.self, at: 10) == 0 else {
      throw Self.malformed(id, "it is of a version that this dv does not know")
    }
    (count, keys, outputs) = (number(12), number(16), number(20))
    let (superseding, size) = (number(24), number(28))
    guard (1...Self.maximumCount).contains(count), keys <= count, outputs <= Self.tableFactor * Self.maximumCount,
      superseding <= Self.maximumCount
    else { throw Self.malformed(id, "its counts make no sense") }
    start = Self.headerSize + Self.entrySize * (count + keys + outputs) + 32 * superseding
    guard bytes.count == start + size else { throw Self.malformed(id, "it has \(bytes.count) bytes") }
    self.bytes = bytes
    var names: [ObjectID] = []
    for index in 0..<superseding { names.append(Self.id(bytes, start - 32 * (superseding - index))) }
    superseded = names
    var end = 0
    for index in 0..<count {
      let next = number(Self.headerSize + Self.entrySize * index + 32)
      guard next > end, next - end <= Record.maximumByteCount, next <= size, index == 0 || recordID(index - 1) < recordID(index)
      else { throw Self.malformed(id, "its table of records makes no sense") }
      end = next
    }
    guard end == size else { throw Self.malformed(id, "its table of records makes no sense") }
    for (from, entries) in [(count, keys), (count + keys, outputs)] {
      for index in 0..<entries {
        let here = entry(from + index)
        guard here.number < count, index == 0 || entry(from + index - 1) < here else {
          throw Self.malformed(id, "its tables make no sense")
        }
      }
    }
  }

  private static func malformed(_ id: ObjectID, _ what: String) -> RecordError {
    RecordError(.malformed, "The records segment \(id.shortHex) cannot be read: \(what).")
  }

  private static func id(_ bytes: [UInt8], _ offset: Int) -> ObjectID {
    guard let id = try? ObjectID(bytes: bytes.span.extracting(offset..<(offset + 32))) else {
      preconditionFailure("of 32 bytes an ID can always be made")
    }
    return id
  }

  private func recordID(_ index: Int) -> ObjectID { Self.id(bytes, Self.headerSize + Self.entrySize * index) }

  /// One entry of a table; tables are numbered through.
  private struct Entry: Comparable {
    let id: ObjectID
    let number: Int

    static func < (left: Self, right: Self) -> Bool { (left.id, left.number) < (right.id, right.number) }
  }

  private func entry(_ index: Int) -> Entry {
    let offset = Self.headerSize + Self.entrySize * index
    return Entry(id: Self.id(bytes, offset), number: Int(bytes.span.bigEndian(UInt32.self, at: offset + 32)))
  }

  /// The names of all its records, in order.
  public var ids: [ObjectID] { (0..<count).map { recordID($0) } }

  /// Returns a record; `nil` if it is not in here.
  public func record(_ id: ObjectID) throws(RecordError) -> Record? {
    guard let index = first(of: id, from: 0, count), recordID(index) == id else { return nil }
    return try record(at: index)
  }

  /// Returns the records of runs with a key.
  public func records(key: ObjectID) throws(RecordError) -> [Record] { try records(key, from: count, keys) }

  /// Returns the records of runs that made a content; those whose outputs did not fit the record are not found.
  public func records(output oid: ObjectID) throws(RecordError) -> [Record] { try records(oid, from: count + keys, outputs) }

  private func records(_ id: ObjectID, from: Int, _ entries: Int) throws(RecordError) -> [Record] {
    guard let found = first(of: id, from: from, entries) else { return [] }
    var records: [Record] = []
    for index in found..<(from + entries) {
      let entry = entry(index)
      guard entry.id == id else { break }
      records.append(try record(at: entry.number))
    }
    return records
  }

  /// Returns the first of `entries` entries from `from` on that is not below `id`.
  private func first(of id: ObjectID, from: Int, _ entries: Int) -> Int? {
    var (low, high) = (from, from + entries)
    while low < high {
      let middle = (low + high) / 2
      if entry(middle).id < id { low = middle + 1 } else { high = middle }
    }
    return low < from + entries ? low : nil
  }

  private func record(at index: Int) throws(RecordError) -> Record {
    let begin = index == 0 ? 0 : entry(index - 1).number
    let end = entry(index).number
    return try Record(decoding: Array(bytes[(start + begin)..<(start + end)]), named: recordID(index))
  }
}
