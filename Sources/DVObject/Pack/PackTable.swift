/// One row of a pack's table: where an object's stored bytes lie.
public struct PackTableEntry: Hashable, Sendable {
  public let key: ObjectKey
  public let codec: Codec
  /// Where the stored bytes begin, behind the entry's header, in bytes from the pack's start.
  public let offset: Int
  /// Stored length in bytes.
  public let storedLength: Int
  /// Length of the object in bytes.
  public let length: Int

  public init(header: PackEntryHeader, offset: Int) {
    key = header.key
    codec = header.codec
    self.offset = offset
    storedLength = header.storedLength
    length = header.length
  }

  fileprivate init(fields: PackFields, offset: Int) {
    key = fields.key
    codec = fields.codec
    self.offset = offset
    storedLength = fields.storedLength
    length = fields.length
  }
}

/// The end of a pack: a table of its entries in the order they lie in, then a trailer.
///
/// A row, 48 bytes, integers big-endian:
///
///     offset  size  meaning
///          0    32  ID of the object
///         32     4  where its stored bytes begin in the pack
///         36     4  stored length in bytes
///         40     4  length of the object in bytes
///         44     1  kind
///         45     1  codec
///         46     2  0
///
/// The trailer, the last 64 bytes of the pack:
///
///     offset  size  meaning
///          0     8  where the table begins in the pack
///          8     4  number of rows
///         12     2  version, 1
///         14     2  required features, 0
///         16     8  0
///         24     8  magic `dv-foot\n`
///         32    32  SHA-256 of the table and the 32 bytes before
public struct PackTable: Sendable {
  public static let rowByteCount = 48
  public static let trailerByteCount = 64
  public static let magic: [UInt8] = Array("dv-foot\n".utf8)
  /// The most entries a pack may have: what a reader allocates at most.
  public static let rowLimit = 1 << 21

  public let entries: [PackTableEntry]

  public init(entries: [PackTableEntry]) { self.entries = entries }

  /// Returns the table and trailer of a pack whose entries end at `offset`.
  public func encoded(at offset: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(entries.count * Self.rowByteCount + Self.trailerByteCount)
    for entry in entries {
      entry.key.id.append(to: &bytes)
      bytes.append(bigEndian: UInt32(entry.offset))
      bytes.append(bigEndian: UInt32(entry.storedLength))
      bytes.append(bigEndian: UInt32(entry.length))
      bytes.append(entry.key.kind.rawValue)
      bytes.append(entry.codec.rawValue)
      bytes.append(bigEndian: UInt16(0))
    }
    bytes.append(bigEndian: offset)
    bytes.append(bigEndian: UInt32(entries.count))
    bytes.append(bigEndian: PackHeader.version)
    bytes.append(bigEndian: UInt16(0))
    bytes.append(bigEndian: UInt64(0))
    bytes.append(contentsOf: Self.magic)
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }

  /// Where a pack of `size` bytes keeps its table, read from its last 64 bytes.
  ///
  /// - Returns: the range of the table and trailer in the pack.
  public static func range(trailer: Span<UInt8>, packSize size: UInt64) throws(PackFormatError) -> Range<UInt64> {
    guard trailer.count == trailerByteCount, size >= UInt64(PackHeader.byteCount + trailerByteCount) else {
      throw .truncated("the trailer")
    }
    guard trailer.extracting(24..<32).starts(with: magic) else { throw .damaged("the trailer") }
    let version = trailer.bigEndian(UInt16.self, at: 12)
    guard version == PackHeader.version else { throw .unknownVersion(version) }
    let features = trailer.bigEndian(UInt16.self, at: 14)
    guard features == 0 else { throw .unknownFeatures(features) }
    let offset = trailer.bigEndian(UInt64.self, at: 0)
    let count = UInt64(trailer.bigEndian(UInt32.self, at: 8))
    guard count <= UInt64(rowLimit), offset <= size, size - offset == count * UInt64(rowByteCount) + UInt64(trailerByteCount)
    else { throw .damaged("the trailer") }
    return offset..<size
  }

  /// Reads table and trailer from the bytes of the range that ``range(trailer:packSize:)`` gave.
  ///
  /// Refuses rows that overlap, leave gaps or are out of order: entries fill a pack without a hole.
  public init(decoding bytes: Span<UInt8>, at tableOffset: UInt64) throws(PackFormatError) {
    guard bytes.count >= Self.trailerByteCount else { throw .truncated("the trailer") }
    let trailer = bytes.count - Self.trailerByteCount
    let range = try Self.range(
      trailer: bytes.extracting(trailer..<bytes.count), packSize: tableOffset + UInt64(bytes.count))
    guard range.lowerBound == tableOffset, bytes.bigEndian(UInt64.self, at: trailer + 16) == 0,
      bytes.holdsDigest(at: trailer + 32, of: 0..<(trailer + 32))
    else { throw .damaged("the table") }
    var entries: [PackTableEntry] = []
    entries.reserveCapacity(trailer / Self.rowByteCount)
    var end = PackHeader.byteCount
    for start in stride(from: 0, to: trailer, by: Self.rowByteCount) {
      let row = bytes.extracting(start..<(start + Self.rowByteCount))
      let fields = try PackFields(
        kind: row[44], codec: row[45], stored: row.bigEndian(UInt32.self, at: 36),
        length: row.bigEndian(UInt32.self, at: 40), id: row.extracting(0..<32))
      let offset = Int(row.bigEndian(UInt32.self, at: 32))
      guard offset == end + PackEntryHeader.byteCount, row.bigEndian(UInt16.self, at: 46) == 0 else {
        throw .damaged("the table")
      }
      end = offset + fields.storedLength
      entries.append(PackTableEntry(fields: fields, offset: offset))
    }
    guard UInt64(end) == tableOffset else { throw .damaged("the table") }
    self.entries = entries
  }
}
