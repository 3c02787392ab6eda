import CGit2

/// The name of a git object: the SHA-1 of its type, size and content.
public struct GitObjectID: Hashable, Sendable, Comparable, BitwiseCopyable, CustomStringConvertible {
  public static let byteCount = 20

  /// The digest as big-endian words, so that comparing words compares bytes.
  private let word0, word1: UInt64
  private let word2: UInt32

  /// Reads an ID from its raw bytes.
  ///
  /// - Throws: ``GitError/Code/invalid`` unless there are exactly 20.
  public init(bytes: Span<UInt8>) throws(GitError) {
    guard bytes.count == Self.byteCount else {
      throw GitError(.invalid, "A git object ID has 20 bytes, not \(bytes.count).")
    }
    var words: (UInt64, UInt64, UInt32) = (0, 0, 0)
    for index in 0..<8 { words.0 = words.0 << 8 | UInt64(bytes[index]) }
    for index in 8..<16 { words.1 = words.1 << 8 | UInt64(bytes[index]) }
    for index in 16..<20 { words.2 = words.2 << 8 | UInt32(bytes[index]) }
    (word0, word1, word2) = words
  }

  /// Reads an ID from its 40 hexadecimal digits.
  ///
  /// - Throws: ``GitError/Code/invalid`` if it is anything else; abbreviations are for
  ///   ``GitRepository/resolve(revision:)``.
  public init(hex: some StringProtocol) throws(GitError) {
    var bytes: [UInt8] = []
    let digits = Array(hex.utf8)
    guard digits.count == 2 * Self.byteCount else {
      throw GitError(.invalid, "'\(hex)' is no git object ID: expected 40 hexadecimal digits.")
    }
    for index in 0..<Self.byteCount {
      guard let high = Self.value(ofDigit: digits[2 * index]), let low = Self.value(ofDigit: digits[2 * index + 1])
      else {
        throw GitError(.invalid, "'\(hex)' is no git object ID: expected 40 hexadecimal digits.")
      }
      bytes.append(high << 4 | low)
    }
    try self.init(bytes: bytes.span)
  }

  private static func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Takes an ID over from libgit2.
  init(_ oid: git_oid) {
    let id = oid.id
    word0 = UInt64(Self.word(id.0, id.1, id.2, id.3)) << 32 | UInt64(Self.word(id.4, id.5, id.6, id.7))
    word1 = UInt64(Self.word(id.8, id.9, id.10, id.11)) << 32 | UInt64(Self.word(id.12, id.13, id.14, id.15))
    word2 = Self.word(id.16, id.17, id.18, id.19)
  }

  private static func word(_ byte0: UInt8, _ byte1: UInt8, _ byte2: UInt8, _ byte3: UInt8) -> UInt32 {
    UInt32(byte0) << 24 | UInt32(byte1) << 16 | UInt32(byte2) << 8 | UInt32(byte3)
  }

  /// This ID as libgit2 has it.
  var oid: git_oid {
    var oid = git_oid()
    unsafe withUnsafeMutableBytes(of: &oid) { buffer in
      unsafe buffer.copyBytes(from: bytes)
    }
    return oid
  }

  /// The 20 raw bytes.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    append(to: &bytes)
    return bytes
  }

  /// Appends the 20 raw bytes.
  public func append(to bytes: inout [UInt8]) {
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: word0 >> shift))
    }
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: word1 >> shift))
    }
    for shift in stride(from: UInt32(24), through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: word2 >> shift))
    }
  }

  /// The 40 lowercase hexadecimal digits.
  public var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The first 10 digits, for messages.
  public var shortHex: String { String(hex.prefix(10)) }

  /// Whether this is git's way to say "no object", as in the first entry of a reflog.
  public var isNull: Bool { word0 == 0 && word1 == 0 && word2 == 0 }

  public var description: String { hex }

  public static func < (left: Self, right: Self) -> Bool {
    (left.word0, left.word1, left.word2) < (right.word0, right.word1, right.word2)
  }
}
