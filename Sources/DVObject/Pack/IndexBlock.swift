/// A block of an index segment: up to 73 entries in ascending order of key.
///
/// An entry, 56 bytes, integers big-endian:
///
///     offset  size  meaning
///          0    32  ID of the object
///         32     8  where its stored bytes begin in the container
///         40     4  stored length in bytes
///         44     4  length of the object in bytes
///         48     4  number of the container in the segment's table
///         52     1  kind
///         53     1  codec
///         54     2  0
///
/// A block, 4,096 bytes: the entries, zeros up to byte 4,088, the number of entries (4 bytes), and the CRC-32 of all
/// bytes before (4 bytes). All blocks of a segment but the last are full.
public struct IndexBlock: Sendable {
  public static let byteCount = 4096
  public static let entryByteCount = 56
  public static let capacity = 73

  /// The block's bytes, checked.
  private let bytes: [UInt8]
  public let count: Int

  /// Reads a block.
  ///
  /// Only what a lookup needs is checked here; an entry's fields are checked when it is taken out.
  public init(decoding bytes: [UInt8], crc32: (Span<UInt8>) -> UInt32) throws(PackFormatError) {
    guard bytes.count == Self.byteCount else { throw .truncated("a block") }
    let span = bytes.span
    guard span.bigEndian(UInt32.self, at: 4092) == crc32(span.extracting(0..<4092)) else { throw .damaged("a block") }
    let count = Int(span.bigEndian(UInt32.self, at: 4088))
    guard count <= Self.capacity else { throw .damaged("a block") }
    self.bytes = bytes
    self.count = count
  }

  /// Appends the block of `entries`, at most 73 of them in order, to `bytes`.
  public static func append(_ entries: ArraySlice<IndexEntry>, to bytes: inout [UInt8], crc32: (Span<UInt8>) -> UInt32) {
    precondition(entries.count <= capacity, "a block holds at most 73 entries")
    let start = bytes.count
    for entry in entries {
      entry.key.id.append(to: &bytes)
      bytes.append(bigEndian: entry.offset)
      bytes.append(bigEndian: UInt32(entry.storedLength))
      bytes.append(bigEndian: UInt32(entry.length))
      bytes.append(bigEndian: UInt32(entry.container))
      bytes.append(entry.key.kind.rawValue)
      bytes.append(entry.codec.rawValue)
      bytes.append(bigEndian: UInt16(0))
    }
    bytes.append(contentsOf: [UInt8](repeating: 0, count: start + 4088 - bytes.count))
    bytes.append(bigEndian: UInt32(entries.count))
    bytes.append(bigEndian: crc32(bytes.span.extracting(start..<(start + 4092))))
  }

  /// Returns the entry at `index`.
  ///
  /// - Parameter containers: those of the segment. The stored bytes lie within the one the entry names.
  public func entry(at index: Int, in containers: [IndexContainer]) throws(PackFormatError) -> IndexEntry {
    let row = bytes.span.extracting((index * Self.entryByteCount)..<((index + 1) * Self.entryByteCount))
    let fields = try PackFields(
      kind: row[52], codec: row[53], stored: row.bigEndian(UInt32.self, at: 40),
      length: row.bigEndian(UInt32.self, at: 44), id: row.extracting(0..<32))
    let container = row.bigEndian(UInt32.self, at: 48)
    let offset = row.bigEndian(UInt64.self, at: 32)
    // A reader computes with these numbers: none may run over.
    guard container < UInt32(clamping: containers.count), row.bigEndian(UInt16.self, at: 54) == 0,
      offset <= containers[Int(container)].size,
      UInt64(fields.storedLength) <= containers[Int(container)].size - offset
    else { throw .damaged("an index entry") }
    return IndexEntry(
      key: fields.key, codec: fields.codec, container: Int(container), offset: offset,
      storedLength: fields.storedLength, length: fields.length)
  }

  /// Returns the entries of `key`.
  ///
  /// - Complexity: O(log *n*) in the block's entries, no allocation if there is none.
  public func entries(of key: ObjectKey, in containers: [IndexContainer]) throws(PackFormatError) -> [IndexEntry] {
    var index = firstIndex(notBefore: key)
    var found: [IndexEntry] = []
    while index < count, holds(key, at: index) {
      found.append(try entry(at: index, in: containers))
      index += 1
    }
    return found
  }

  /// Whether the block has an entry of `key`.
  public func contains(_ key: ObjectKey) -> Bool {
    let index = firstIndex(notBefore: key)
    return index < count && holds(key, at: index)
  }

  /// The number of leading entries whose keys sort before `key`, by binary search.
  private func firstIndex(notBefore key: ObjectKey) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if order(of: middle, before: key) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func prefix(at index: Int) -> UInt64 {
    let start = index * Self.entryByteCount
    return UInt64(bytes[start + 52]) << 56 | bytes.span.bigEndian(UInt64.self, at: start) >> 8
  }

  private func order(of index: Int, before key: ObjectKey) -> Bool {
    let mine = prefix(at: index)
    if mine != key.prefix { return mine < key.prefix }
    guard let id = id(at: index) else { return false }
    return id < key.id
  }

  private func holds(_ key: ObjectKey, at index: Int) -> Bool {
    prefix(at: index) == key.prefix && id(at: index) == key.id
  }

  private func id(at index: Int) -> ObjectID? {
    let start = index * Self.entryByteCount
    return try? ObjectID(bytes: bytes.span.extracting(start..<(start + 32)))
  }
}
