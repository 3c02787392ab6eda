/// The first bytes of a pack.
///
/// A pack is an immutable file of many objects, named by the SHA-256 of all its bytes:
///
///     header, entry, entry …, table, trailer
///
/// The header, 64 bytes, integers big-endian:
///
///     offset  size  meaning
///          0     8  magic `dv-pack\n`
///          8     2  version, 1
///         10     2  required features, 0: a reader refuses a bit it does not know
///         12     4  0
///         16    16  random bytes, so that a name that gc may be deleting is never written again
///         32    32  SHA-256 of the 32 bytes before
public struct PackHeader: Hashable, Sendable {
  public static let byteCount = 64
  public static let magic: [UInt8] = Array("dv-pack\n".utf8)
  public static let version: UInt16 = 1

  /// The random bytes, as two words.
  public let salt: (UInt64, UInt64)

  public init(salt: (UInt64, UInt64)) { self.salt = salt }

  /// Makes a header no pack had before.
  public init() {
    self.init(salt: (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)))
  }

  public static func == (left: PackHeader, right: PackHeader) -> Bool { left.salt == right.salt }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(salt.0)
    hasher.combine(salt.1)
  }

  public func encoded() -> [UInt8] {
    var bytes = Self.magic
    bytes.append(bigEndian: Self.version)
    bytes.append(bigEndian: UInt16(0))
    bytes.append(bigEndian: UInt32(0))
    bytes.append(bigEndian: salt.0)
    bytes.append(bigEndian: salt.1)
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }

  /// Reads a header from the first 64 bytes of a pack.
  public init(decoding bytes: Span<UInt8>) throws(PackFormatError) {
    guard bytes.count >= Self.byteCount else { throw .truncated("the header") }
    guard bytes.starts(with: Self.magic) else { throw .notAPack }
    let version = bytes.bigEndian(UInt16.self, at: 8)
    guard version == Self.version else { throw .unknownVersion(version) }
    let features = bytes.bigEndian(UInt16.self, at: 10)
    guard features == 0 else { throw .unknownFeatures(features) }
    guard bytes.bigEndian(UInt32.self, at: 12) == 0, bytes.holdsDigest(at: 32, of: 0..<32) else {
      throw .damaged("the header")
    }
    self.init(salt: (bytes.bigEndian(UInt64.self, at: 16), bytes.bigEndian(UInt64.self, at: 24)))
  }
}

extension Span where Element == UInt8 {
  /// Whether the span begins with `prefix`.
  func starts(with prefix: [UInt8]) -> Bool {
    guard count >= prefix.count else { return false }
    for index in prefix.indices where self[index] != prefix[index] { return false }
    return true
  }

  /// Whether the 32 bytes at `offset` are the SHA-256 of `range`.
  func holdsDigest(at offset: Int, of range: Range<Int>) -> Bool {
    var expected: [UInt8] = []
    ObjectID(hashing: extracting(range)).append(to: &expected)
    return extracting(offset..<(offset + 32)).starts(with: expected)
  }
}
