public import SystemPackage

/// Turns bytes that may be anything into text that a terminal shows and does not obey.
///
/// A name in a dataset may hold escape sequences that clear the screen or forge a message. Control characters (C0, DEL,
/// C1), the marks that reorder text, and bytes that are not UTF-8 come out as `\n`, `\x1B` or `\u{202E}`; a backslash is
/// doubled, so that nothing else looks like one of these.
public enum TerminalSafe {
  /// Returns `bytes` as text without control characters.
  ///
  /// - Complexity: O(*n*).
  public static func text(_ bytes: some Collection<UInt8>) -> String {
    var result = ""
    var rest = bytes[...]
    while let first = rest.first {
      let width =
        switch first {
        case 0..<0x80: 1
        case 0xC2..<0xE0: 2
        case 0xE0..<0xF0: 3
        case 0xF0..<0xF5: 4
        default: 0
        }
      let part = rest.prefix(width)
      if width > 0, part.count == width, let scalars = String(validating: part, as: UTF8.self)?.unicodeScalars {
        for scalar in scalars { append(scalar, to: &result) }
        rest = rest.dropFirst(width)
      } else {
        result += "\\x" + hex(UInt32(first), digits: 2)
        rest = rest.dropFirst()
      }
    }
    return result
  }

  /// Returns `text` without control characters.
  public static func text(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars { append(scalar, to: &result) }
    return result
  }

  /// Whether a scalar commands a terminal, reorders the text around it, or is not seen.
  public static func isMisleading(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true
    default: false
    }
  }

  private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
    switch scalar.value {
    case 0x0A: result += "\\n"
    case 0x09: result += "\\t"
    case 0x0D: result += "\\r"
    case 0x5C: result += "\\\\"
    case 0..<0x20, 0x7F..<0xA0: result += "\\x" + hex(scalar.value, digits: 2)
    case _ where isMisleading(scalar):
      result += "\\u{" + hex(scalar.value, digits: 4) + "}"
    default: result.unicodeScalars.append(scalar)
    }
  }

  private static func hex(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}

extension FilePath {
  /// This path as text that a terminal shows and does not obey, for messages.
  public var printable: String { TerminalSafe.text(rawBytes) }
}
