/// The name of an object: the SHA-256 of its bytes.
///
/// IDs order as their bytes do. See `docs/format/object-id.md`.
public struct ObjectID: Hashable, Sendable, Comparable, BitwiseCopyable {
  /// How many bytes an ID has.
  public static let byteCount = 32

  /// The digest as big-endian words, so that comparing words compares bytes.
  @usableFromInline let word0, word1, word2, word3: UInt64

  init(word0: UInt64, word1: UInt64, word2: UInt64, word3: UInt64) {
    self.word0 = word0
    self.word1 = word1
    self.word2 = word2
    self.word3 = word3
  }

  /// Reads an ID from its raw bytes.
  ///
  /// - Throws: ``ObjectFormatError`` unless `bytes` holds exactly 32 bytes.
  public init(bytes: Span<UInt8>) throws(ObjectFormatError) {
    guard bytes.count == Self.byteCount else {
      throw .wrongLength(of: "An object ID", expected: Self.byteCount, actual: bytes.count)
    }
    self.init(bytes, at: 0)
  }

  /// Reads the ID whose 32 bytes begin at `offset`.
  ///
  /// - Precondition: All 32 bytes lie within the span.
  init(_ bytes: Span<UInt8>, at offset: Int) {
    word0 = bytes.bigEndian(UInt64.self, at: offset)
    word1 = bytes.bigEndian(UInt64.self, at: offset + 8)
    word2 = bytes.bigEndian(UInt64.self, at: offset + 16)
    word3 = bytes.bigEndian(UInt64.self, at: offset + 24)
  }

  /// Up to so many bytes, as names and small files have, the time shows in which a digest of the library's is set up.
  private static let shortMessage = 4096

  /// Makes the ID of an object that consists of `bytes`.
  ///
  /// - Complexity: O(*n*): one SHA-256 pass, without a copy.
  public init(hashing bytes: Span<UInt8>) {
    if HashLane.isSupported, bytes.count <= Self.shortMessage {
      self = HashLane.digest(of: bytes)
      return
    }
    var digest = Digest()
    digest.update(bytes)
    // Not `finish`, which would make a second context for bytes that never come.
    self = digest.current()
  }

  /// The first eight bytes as a big-endian number: evenly spread over all numbers, in the order of the IDs.
  @inlinable public var prefix64: UInt64 { word0 }

  /// How many bits at the start of the ID are zero.
  @inlinable public var leadingZeroBits: Int {
    if word0 != 0 { return word0.leadingZeroBitCount }
    if word1 != 0 { return 64 + word1.leadingZeroBitCount }
    if word2 != 0 { return 128 + word2.leadingZeroBitCount }
    return 192 + word3.leadingZeroBitCount
  }

  /// Appends the 32 raw bytes.
  public func append(to bytes: inout [UInt8]) {
    bytes.append(bigEndian: word0)
    bytes.append(bigEndian: word1)
    bytes.append(bigEndian: word2)
    bytes.append(bigEndian: word3)
  }

  @inlinable public static func == (left: Self, right: Self) -> Bool {
    left.word0 == right.word0 && left.word1 == right.word1 && left.word2 == right.word2 && left.word3 == right.word3
  }

  @inlinable public static func < (left: Self, right: Self) -> Bool {
    if left.word0 != right.word0 { return left.word0 < right.word0 }
    if left.word1 != right.word1 { return left.word1 < right.word1 }
    if left.word2 != right.word2 { return left.word2 < right.word2 }
    return left.word3 < right.word3
  }

  /// Feeds one word to `hasher`: a digest is random already, and the hasher's seed does the rest.
  @inlinable public func hash(into hasher: inout Hasher) {
    hasher.combine(word0)
  }
}
