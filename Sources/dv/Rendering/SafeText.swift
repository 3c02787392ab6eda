/// Text from outside, made safe to print: it cannot move the cursor, colour the screen, pretend to be other text, or
/// end a line.
///
/// File names are bytes, and whoever can write to a shared dataset chooses them. What is escaped:
///
/// - control characters, among them the escape that begins terminal sequences, and C1 controls: `\n`, `\t`, `\x1b`
/// - bytes that are not UTF-8: `\xff`
/// - line and paragraph separators, marks that reorder text (CVE-2021-42574) and invisible ones: `\u{202e}`
/// - in a name also the backslash, so that two different names never print alike
enum SafeText {
  /// Returns the name `bytes` for a terminal.
  static func name(_ bytes: [UInt8]) -> String {
    escape(bytes, keepingLines: false, escapingBackslash: true)
  }

  /// Returns the name `text` for a terminal.
  static func name(_ text: String) -> String {
    name(Array(text.utf8))
  }

  /// Returns a message for a terminal. Its line breaks stay.
  static func message(_ text: String) -> String {
    escape(Array(text.utf8), keepingLines: true, escapingBackslash: false)
  }

  private static func escape(_ bytes: [UInt8], keepingLines: Bool, escapingBackslash: Bool) -> String {
    var text = ""
    text.reserveCapacity(bytes.count)
    var parser = Unicode.UTF8.ForwardParser()
    var source = bytes.makeIterator()
    // The parser reads ahead: where it stands follows from the lengths it reports.
    var position = 0
    while true {
      switch parser.parseScalar(from: &source) {
      case .emptyInput:
        return text
      case .error(let length):
        for byte in bytes[position..<position + length] { text += "\\x" + hex(UInt32(byte)) }
        position += length
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        position += encoded.count
        switch scalar {
        case "\n" where keepingLines: text.unicodeScalars.append(scalar)
        case "\n": text += "\\n"
        case "\t": text += "\\t"
        case "\r": text += "\\r"
        case "\\" where escapingBackslash: text += "\\\\"
        case _ where scalar.value < 0x20 || scalar.value == 0x7f: text += "\\x" + hex(scalar.value)
        case _ where isHidden(scalar): text += "\\u{" + String(scalar.value, radix: 16) + "}"
        default: text.unicodeScalars.append(scalar)
        }
      }
    }
  }

  private static func hex(_ value: UInt32) -> String {
    (value < 16 ? "0" : "") + String(value, radix: 16)
  }

  /// Whether a terminal would act on `scalar`, or a reader not see it.
  ///
  /// The joiners U+200C and U+200D are not in the list: Persian and emoji are written with them.
  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x80...0x9f, 0xad, 0x61c, 0x180e, 0x200b, 0x200e...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff,
      0xfff9...0xfffb, 0xe0000...0xe0fff:
      true
    default: false
    }
  }
}
