/// How the stored bytes of an object are made from its bytes.
public enum Codec: UInt8, Hashable, Sendable, CaseIterable {
  /// The bytes themselves.
  case raw = 0
  /// One zlib stream (RFC 1950).
  case zlib = 1
  /// One zstd frame (RFC 8878) with its content size, without checksum or dictionary.
  case zstd = 2
  /// Two byte planes, each a zstd frame or raw: for 2-byte floats. See ``PlaneHeader``.
  case zstdGrouped2 = 3
  /// Four byte planes, each a zstd frame or raw: for 4-byte floats. See ``PlaneHeader``.
  case zstdGrouped4 = 4

  /// How many byte planes the object was split into: 1, 2 or 4.
  public var planes: Int {
    switch self {
    case .raw, .zlib, .zstd: 1
    case .zstdGrouped2: 2
    case .zstdGrouped4: 4
    }
  }
}

/// What stands before each plane of a byte-grouped object.
///
/// An object of *n* bytes in *w* planes: plane *p* holds the bytes at *p*, *p + w*, *p + 2w* …, *n / w* of them. The
/// stored form is *w* plane headers, then the planes in order, then the last *n* mod *w* bytes as they are. A header is
/// one big-endian 32-bit integer: bit 31 says the plane is a zstd frame, the other bits are its stored length in bytes.
public struct PlaneHeader: Hashable, Sendable {
  public let isCompressed: Bool
  /// Stored length in bytes, at most 4 MiB.
  public let length: Int

  public init(isCompressed: Bool, length: Int) {
    self.isCompressed = isCompressed
    self.length = length
  }

  public init(word: UInt32) {
    isCompressed = word >> 31 == 1
    length = Int(word & 0x7fff_ffff)
  }

  public var word: UInt32 { (isCompressed ? 1 << 31 : 0) | UInt32(length) }
}
