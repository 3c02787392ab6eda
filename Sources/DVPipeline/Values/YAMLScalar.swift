import DVObject

/// What a plain scalar of YAML 1.2 stands for: `yes` and `on` are text, `0o17` is 15, `1e3` is a number.
enum YAMLScalar {
  static func value(of text: String) -> JSONValue {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".nan", ".NaN", ".NAN": return .number(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
    default: break
    }
    if let value = integer(text) { return value }
    if let value = number(text) { return .number(value) }
    return .string(text)
  }

  private static func integer(_ text: String) -> JSONValue? {
    let bytes = text.utf8
    if bytes.starts(with: "0x".utf8) { return digits(bytes.dropFirst(2), radix: 16).map { .integer($0) } }
    if bytes.starts(with: "0o".utf8) { return digits(bytes.dropFirst(2), radix: 8).map { .integer($0) } }
    let isSigned = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+")
    guard isSigned ? bytes.count > 1 : bytes.count > 0, bytes.dropFirst(isSigned ? 1 : 0).allSatisfy(isDigit) else {
      return nil
    }
    return .whole(text)
  }

  private static func digits(_ bytes: Substring.UTF8View, radix: Int) -> Int64? {
    guard let first = bytes.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+") else { return nil }
    return Int64(String(decoding: bytes, as: UTF8.self), radix: radix)
  }

  /// Digits with a point or an exponent; `1.`, `.5` and `1e3` count, `.`, `e3` and `1_000.0` do not.
  private static func number(_ text: String) -> Double? {
    var rest = Substring(text).utf8
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    var fraction = rest.prefix(0)
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      fraction = rest.prefix(while: isDigit)
      rest = rest.dropFirst(fraction.count)
    }
    guard whole.count + fraction.count > 0 else { return nil }
    var exponent = 0
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest.removeFirst()
      let isNegative = rest.first == UInt8(ascii: "-")
      if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
      guard !rest.isEmpty, rest.allSatisfy(isDigit), rest.count < 10 else { return nil }
      exponent = (isNegative ? -1 : 1) * (Int(String(decoding: rest, as: UTF8.self)) ?? 0)
      rest = rest.dropFirst(rest.count)
    }
    guard rest.isEmpty else { return nil }
    let sign = text.hasPrefix("-") ? "-" : ""
    let plain = "\(sign)\(String(decoding: whole, as: UTF8.self)).\(String(decoding: fraction, as: UTF8.self))"
    let mantissa = plain.hasSuffix(".") ? plain + "0" : plain
    return Double((mantissa.hasPrefix(".") ? "0" : "") + mantissa.replacingLeadingPoint + "e\(exponent)")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

extension String {
  /// `-.5` as `-0.5`, which Swift's reader of numbers wants.
  fileprivate var replacingLeadingPoint: String { hasPrefix("-.") ? "-0" + dropFirst() : self }
}
