extension ObjectID: CustomStringConvertible {
  /// What stands before the digits in text, so that another digest may one day stand beside this one.
  static let textPrefix = "sha256:"

  /// Reads an ID from 64 lowercase hex digits.
  ///
  /// - Throws: ``ObjectFormatError`` if `hex` is anything else: other digits, capitals, a prefix, spaces.
  public init(hex: some StringProtocol) throws(ObjectFormatError) { try self.init(digits: String(hex)) }

  /// The same for one kind of text: through a protocol each byte would be a call.
  private init(digits hex: String) throws(ObjectFormatError) {
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var count = 0
    for character in hex.utf8 {
      let digit: UInt8
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
      default: throw .malformed("'\(hex.prefix(80))' is no object ID: expected 64 lowercase hex digits.")
      }
      switch count / 16 {
      case 0: words.0 = words.0 << 4 | UInt64(digit)
      case 1: words.1 = words.1 << 4 | UInt64(digit)
      case 2: words.2 = words.2 << 4 | UInt64(digit)
      case 3: words.3 = words.3 << 4 | UInt64(digit)
      default: throw .malformed("An object ID has 64 hex digits; '\(hex.prefix(80))' has more.")
      }
      count += 1
    }
    guard count == 64 else { throw .malformed("An object ID has 64 hex digits; '\(hex)' has \(count).") }
    self.init(word0: words.0, word1: words.1, word2: words.2, word3: words.3)
  }

  /// Reads an ID from `sha256:` and 64 lowercase hex digits.
  ///
  /// - Throws: ``ObjectFormatError`` if `text` is anything else.
  public init(text: some StringProtocol) throws(ObjectFormatError) {
    // Compared as bytes: as characters, a combining mark could melt into the colon.
    guard text.utf8.starts(with: Self.textPrefix.utf8) else {
      throw .malformed("'\(text.prefix(80))' is no object ID: expected 'sha256:' and 64 lowercase hex digits.")
    }
    try self.init(hex: String(decoding: text.utf8.dropFirst(Self.textPrefix.utf8.count), as: UTF8.self))
  }

  /// The 64 lowercase hex digits, as `sha256sum` prints them.
  public var hex: String {
    var digits: [UInt8] = []
    digits.reserveCapacity(64)
    appendHex(to: &digits)
    return String(decoding: digits, as: UTF8.self)
  }

  /// `sha256:` and the 64 hex digits: how an ID stands in pointers and in output.
  public var text: String { Self.textPrefix + hex }

  /// The first 12 hex digits, for messages.
  public var shortHex: String { String(hex.prefix(12)) }

  public var description: String { text }

  /// Appends the 64 hex digits as ASCII.
  func appendHex(to bytes: inout [UInt8]) {
    for word in [word0, word1, word2, word3] {
      for shift in stride(from: 60, through: 0, by: -4) {
        let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 0xF
        bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    }
  }
}
