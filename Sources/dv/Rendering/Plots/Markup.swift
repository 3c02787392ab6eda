/// Text and numbers as parts of HTML and SVG.
enum Markup {
  /// Returns text from outside so that it is text in an element or in a quoted attribute, whatever it contains.
  ///
  /// What would hide or reorder text is made visible as on a terminal; characters that XML does not allow are replaced.
  static func text(_ text: String, limit: Int = 300) -> String {
    let shown = text.count > limit ? String(text.prefix(limit)) + "…" : text
    var escaped = ""
    for scalar in SafeText.message(shown.map { $0.isNewline ? " " : $0 }.reduce("") { $0 + String($1) }).unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\u{fffe}", "\u{ffff}": escaped += "\u{fffd}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// A coordinate with one decimal.
  static func number(_ value: Double) -> String {
    let tenths = (value * 10).rounded()
    guard abs(tenths) < 1e9 else { return "0" }
    let whole = Int(tenths)
    let (quotient, rest) = (abs(whole) / 10, abs(whole) % 10)
    return (whole < 0 ? "-" : "") + (rest == 0 ? "\(quotient)" : "\(quotient).\(rest)")
  }

  /// Bytes as base64.
  static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let rest = min(3, bytes.count - index)
      var word = UInt32(bytes[index]) << 16
      if rest > 1 { word |= UInt32(bytes[index + 1]) << 8 }
      if rest > 2 { word |= UInt32(bytes[index + 2]) }
      for position in 0..<4 {
        text.append(position <= rest ? digits[Int(word >> (18 - 6 * position)) & 63] : UInt8(ascii: "="))
      }
      index += 3
    }
    return String(decoding: text, as: UTF8.self)
  }
}
