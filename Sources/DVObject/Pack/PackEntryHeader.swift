/// What stands before the stored bytes of an object in a pack, so that a pack without its table can still be read.
///
/// 56 bytes, integers big-endian; the stored bytes follow at once:
///
///     offset  size  meaning
///          0     8  magic `dv-entry`, to find the next entry behind a damaged one
///          8     1  kind, see ``ObjectKind``
///          9     1  codec, see ``Codec``
///         10     2  0
///         12     4  stored length in bytes
///         16     4  length of the object in bytes
///         20    32  ID of the object
///         52     4  CRC-32 of the 52 bytes before
///
/// The stored bytes need no checksum of their own: decoded, they are proved by the ID, and a chunk list, which its ID
/// cannot prove, carries a hash.
public struct PackEntryHeader: Hashable, Sendable {
  public static let byteCount = 56
  public static let magic: [UInt8] = Array("dv-entry".utf8)

  public let key: ObjectKey
  public let codec: Codec
  /// Stored length in bytes, without this header.
  public let storedLength: Int
  /// Length of the object in bytes.
  public let length: Int

  public init(key: ObjectKey, codec: Codec, storedLength: Int, length: Int) {
    self.key = key
    self.codec = codec
    self.storedLength = storedLength
    self.length = length
  }

  /// Appends the header's 56 bytes to `bytes`.
  ///
  /// - Parameter crc32: the CRC-32 of a run of bytes (this module knows no zlib).
  public func append(to bytes: inout [UInt8], crc32: (Span<UInt8>) -> UInt32) {
    let start = bytes.count
    bytes.append(contentsOf: Self.magic)
    bytes.append(key.kind.rawValue)
    bytes.append(codec.rawValue)
    bytes.append(bigEndian: UInt16(0))
    bytes.append(bigEndian: UInt32(storedLength))
    bytes.append(bigEndian: UInt32(length))
    key.id.append(to: &bytes)
    bytes.append(bigEndian: crc32(bytes.span.extracting(start..<(start + 52))))
  }

  /// Reads the header at the start of `bytes`.
  public init(decoding bytes: Span<UInt8>, crc32: (Span<UInt8>) -> UInt32) throws(PackFormatError) {
    guard bytes.count >= Self.byteCount else { throw .truncated("an entry's header") }
    guard bytes.starts(with: Self.magic), bytes.bigEndian(UInt32.self, at: 52) == crc32(bytes.extracting(0..<52)),
      bytes.bigEndian(UInt16.self, at: 10) == 0
    else { throw .damaged("an entry's header") }
    let fields = try PackFields(
      kind: bytes[8], codec: bytes[9], stored: bytes.bigEndian(UInt32.self, at: 12),
      length: bytes.bigEndian(UInt32.self, at: 16), id: bytes.extracting(20..<52))
    self.init(
      key: fields.key, codec: fields.codec, storedLength: fields.storedLength, length: fields.length)
  }
}

/// The fields that pack entries, pack tables and index entries share, checked in one place.
struct PackFields {
  let key: ObjectKey
  let codec: Codec
  let storedLength: Int
  let length: Int

  init(kind: UInt8, codec: UInt8, stored: UInt32, length: UInt32, id: Span<UInt8>) throws(PackFormatError) {
    guard let knownKind = ObjectKind(rawValue: kind) else { throw .unknownKind(kind) }
    guard let knownCodec = Codec(rawValue: codec) else { throw .unknownCodec(codec) }
    // A reader takes memory by these numbers, so they are bounded here. Stored bytes never exceed the object's by more
    // than a codec's framing.
    guard length <= knownKind.byteLimit, stored <= UInt64(length) + 1024 else { throw .damaged("an entry's lengths") }
    if knownCodec == .raw, stored != length { throw .damaged("an entry's lengths") }
    do { key = ObjectKey(kind: knownKind, id: try ObjectID(bytes: id)) } catch { throw .damaged("an entry's ID") }
    self.codec = knownCodec
    storedLength = Int(stored)
    self.length = Int(length)
  }
}
