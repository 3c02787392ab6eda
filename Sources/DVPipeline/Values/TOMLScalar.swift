import DVObject

/// What a word of TOML that is not in quotes stands for.
enum TOMLScalar {
  /// Returns the value of a word; `nil` if it is none.
  static func value(of word: String) -> JSONValue? {
    switch word {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "inf", "+inf": return .number(.infinity)
    case "-inf": return .number(-.infinity)
    case "nan", "+nan", "-nan": return .number(.nan)
    default: break
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
      guard let digits = withoutUnderscores(word.dropFirst(2)), digits.first?.isHexDigit == true else { return nil }
      return Int64(digits, radix: radix).map { .integer($0) }
    }
    if isDateOrTime(word) { return .string(word) }
    guard let plain = withoutUnderscores(Substring(word)) else { return nil }
    let unsigned = plain.hasPrefix("-") || plain.hasPrefix("+") ? plain.dropFirst() : Substring(plain)
    guard let first = unsigned.utf8.first, (0x30...0x39).contains(first) else { return nil }
    if unsigned.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      guard unsigned.count == 1 || first != 0x30 else { return nil }
      return Int64(plain).map { .integer($0) }
    }
    let allowed = unsigned.utf8.allSatisfy { (0x30...0x39).contains($0) || ".eE+-".utf8.contains($0) }
    guard allowed, !unsigned.hasSuffix("."), !unsigned.contains(".e"), !unsigned.contains(".E") else { return nil }
    return Double(plain).map { .number($0) }
  }

  /// Takes out underscores, each of which must stand between two digits.
  private static func withoutUnderscores(_ text: Substring) -> String? {
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() where parts.count > 1 {
      guard !part.isEmpty else { return nil }
      if index > 0, part.first?.isHexDigit != true { return nil }
      if index < parts.count - 1, part.last?.isHexDigit != true { return nil }
    }
    return parts.joined()
  }

  private static func isDateOrTime(_ word: String) -> Bool {
    let bytes = Array(word.utf8)
    let isDate = bytes.count >= 10 && bytes[4] == UInt8(ascii: "-") && bytes[7] == UInt8(ascii: "-")
    let isTime = bytes.count >= 8 && bytes[2] == UInt8(ascii: ":") && bytes[5] == UInt8(ascii: ":")
    guard isDate || isTime, bytes.prefix(2).allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
    return bytes.allSatisfy { (0x30...0x39).contains($0) || "-:.+TZtz ".utf8.contains($0) }
  }
}
