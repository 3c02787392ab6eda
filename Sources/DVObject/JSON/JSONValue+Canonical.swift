extension JSONValue {
  /// The largest whole number that every reader of JSON takes exactly: 2^53.
  static let largestExactInteger: Int64 = 1 << 53

  /// Returns the value's one encoding, by RFC 8785.
  ///
  /// Members are in the order of their keys' UTF-16 code units, without spaces; numbers are written as ECMAScript writes
  /// them. What JSON cannot say as a number is a string: `"NaN"`, `"Infinity"`, `"-Infinity"`, and whole numbers beyond
  /// 2^53 in either direction whose digits are not those that ECMAScript writes for the nearest number. See `docs/format/record.md`.
  public func canonical() -> [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }

  private func append(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value):
      let digits = String(value)
      // A number of that size that was no integer is written with the same digits, and they are read as an integer.
      let isExact = value.magnitude <= Self.largestExactInteger.magnitude || NumberText.text(of: Double(value)) == digits
      if isExact { bytes += digits.utf8 } else { Self.append(digits, to: &bytes) }
    case .number(let value):
      if value.isFinite { bytes += NumberText.text(of: value).utf8 } else { Self.append(Self.name(of: value), to: &bytes) }
    case .string(let text): Self.append(text, to: &bytes)
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        value.append(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let object):
      bytes.append(UInt8(ascii: "{"))
      let members = Self.inOrder(object.members)
      for (index, member) in members.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        Self.append(member.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.append(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  private static func inOrder(_ members: [JSONObject.Member]) -> [JSONObject.Member] {
    func precedes(_ one: JSONObject.Member, _ other: JSONObject.Member) -> Bool { one.key.utf16.lexicographicallyPrecedes(other.key.utf16) }
    // What was read from its canonical form is in order.
    if zip(members, members.dropFirst()).allSatisfy(precedes) { return members }
    return members.sorted(by: precedes)
  }

  private static func name(of value: Double) -> String { value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    if isPlain {
      bytes += text.utf8
      return
    }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes += "\\\"".utf8
      case UInt8(ascii: "\\"): bytes += "\\\\".utf8
      case 0x08: bytes += "\\b".utf8
      case 0x09: bytes += "\\t".utf8
      case 0x0a: bytes += "\\n".utf8
      case 0x0c: bytes += "\\f".utf8
      case 0x0d: bytes += "\\r".utf8
      case 0..<0x20: bytes += ("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)).utf8
      default: bytes.append(byte)
      }
    }
  }
}

/// Numbers as ECMAScript writes them: the fewest digits that read back as the same number, and an exponent only below
/// 10^-6 and from 10^21 on.
enum NumberText {
  /// Returns the text of a finite number. Negative zero is `0`.
  static func text(of value: Double) -> String {
    if value == 0 { return "0" }
    let (digits, point) = decimal(value.magnitude)
    let sign = value < 0 ? "-" : ""
    let count = digits.count
    if point > 0, point <= 21 {
      if count <= point { return sign + digits + String(repeating: "0", count: point - count) }
      return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }
    if point > -6, point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
    let exponent = point - 1
    let mantissa = count == 1 ? digits : digits.prefix(1) + "." + digits.dropFirst()
    return sign + mantissa + "e" + (exponent < 0 ? "-" : "+") + String(exponent.magnitude)
  }

  /// Returns the digits *d* and the place *p* of a positive number: it is 0.*d* · 10^*p*.
  ///
  /// Swift's own text of a number has the digits that are wanted, only laid out differently.
  private static func decimal(_ value: Double) -> (digits: String, point: Int) {
    let parts = value.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let (whole, fraction) = (mantissa[0], mantissa.count > 1 ? mantissa[1] : "")
    var point = whole.count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    var digits = Substring(String(whole) + fraction)
    while digits.first == "0" {
      digits.removeFirst()
      point -= 1
    }
    while digits.last == "0" { digits.removeLast() }
    return (String(digits), point)
  }
}
