extension ObjectID: CustomStringConvertible {
  /// What stands before the digits in text, so that another digest may one day stand beside this one.
  static let textPrefix = "sha256:"

  /// Reads an ID from 64 lowercase hex digits.
  ///
  /// - Throws: ``ObjectFormatError`` if `hex` is anything else: other digits, capitals, a prefix, spaces.
  public init(hex: some StringProtocol) throws(ObjectFormatError) { try self.init(digits: String(hex)) }

  /// The same for one kind of text: through a protocol each byte would be a call.
  private init(digits hex: String) throws(ObjectFormatError) {
    let digits = hex.utf8
    guard digits.count == 64 else {
      throw .malformed("An object ID has 64 hex digits; '\(hex.prefix(80))' has \(digits.count).")
    }
    guard let id = Self(hexDigits: digits.span) else {
      throw .malformed("'\(hex)' is no object ID: expected 64 lowercase hex digits.")
    }
    self = id
  }

  /// Reads an ID from 64 lowercase hex digits; `nil` if they are anything else.
  public init?(hexDigits digits: Span<UInt8>) {
    guard digits.count == 64 else { return nil }
    // Eight digits at a time, and without branches, which digits of a hash would mislead every other time.
    var wrong: UInt64 = 0
    func eight(_ offset: Int) -> UInt64 {
      let ones: UInt64 = 0x0101_0101_0101_0101
      let text = digits.bigEndian(UInt64.self, at: offset)
      // The letters are 0x61 to 0x66, the decimals 0x30 to 0x39.
      let values = (text & (0x0F * ones)) &+ ((text >> 6) & ones) &* 9
      let letters = ((values &+ 6 * ones) >> 4) & ones
      wrong |= (values & (0xF0 * ones)) | (text ^ (values &+ 0x30 * ones &+ letters &* 0x27))
      let bytes = (values | (values >> 4)) & 0x00FF_00FF_00FF_00FF
      let pairs = (bytes | (bytes >> 8)) & 0x0000_FFFF_0000_FFFF
      return (pairs | (pairs >> 16)) & 0xFFFF_FFFF
    }
    func word(_ number: Int) -> UInt64 { eight(16 * number) << 32 | eight(16 * number + 8) }
    let (first, second, third, fourth) = (word(0), word(1), word(2), word(3))
    guard wrong == 0 else { return nil }
    self.init(word0: first, word1: second, word2: third, word3: fourth)
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
