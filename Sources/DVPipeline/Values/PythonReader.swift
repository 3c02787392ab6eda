import DVObject

/// Reads the constants that a Python file assigns: numbers, text, True, False, None, lists, tuples and dictionaries of
/// them, at the top of the file, and in classes as `Class.name`. All other code is passed over; nothing is run.
struct PythonReader {
  private let file: String
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  static func read(_ bytes: [UInt8], named file: String) throws(PipelineError) -> JSONObject {
    guard bytes.count <= 1 << 20 else {
      throw PipelineError(.limit, "'\(file)' has \(bytes.count) bytes; at most \(1 << 20) are read.")
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw PipelineError(.syntax, "'\(file)' is not UTF-8.", remedy: "Save it as UTF-8.")
    }
    var reader = PythonReader(file: file, bytes: bytes)
    return reader.module()
  }

  private init(file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes
  }

  private mutating func module() -> JSONObject {
    var object = JSONObject()
    var openClass: (name: String, indent: Int?)?
    while position < bytes.count {
      let lineStart = position
      skipSpaces()
      let indent = position - lineStart
      if next == 0x0a || next == UInt8(ascii: "#") || next == nil {
        skipLine()
        continue
      }
      if indent == 0 { openClass = nil }
      if indent > 0, openClass?.indent == nil { openClass?.indent = indent }
      let isHere = indent == 0 || indent == openClass?.indent
      if isHere, let name = identifier() {
        if indent == 0, name == "class", let className = spacedIdentifier() {
          openClass = (className, nil)
        } else if let value = assignedValue() {
          if let openClass, indent > 0 {
            var members = object[openClass.name]?.object ?? JSONObject()
            members[name] = value
            object[openClass.name] = .object(members)
          } else {
            object[name] = value
          }
        }
      } else if looksAt("\"\"\"") || looksAt("'''") {
        _ = string()
      }
      skipLine()
    }
    return object
  }

  /// Reads what follows a name: a type, perhaps, `=` and a constant, to the end of the line.
  private mutating func assignedValue() -> JSONValue? {
    skipSpaces()
    if next == UInt8(ascii: ":") {
      while let byte = next, byte != UInt8(ascii: "="), byte != 0x0a { position += 1 }
    }
    guard take("="), next != UInt8(ascii: "=") else { return nil }
    skipSpaces()
    guard let value = value() else { return nil }
    skipSpaces()
    guard next == nil || next == 0x0a || next == 0x0d || next == UInt8(ascii: "#") else { return nil }
    return value
  }

  // MARK: - Values

  private mutating func value() -> JSONValue? {
    guard depth < 100 else { return nil }
    depth += 1
    defer { depth -= 1 }
    switch next {
    case UInt8(ascii: "\"")?, UInt8(ascii: "'")?: return string().map { .string($0) }
    case UInt8(ascii: "[")?: return elements(until: "]").map { .array($0) }
    case UInt8(ascii: "(")?:
      let start = position
      guard let values = elements(until: ")") else { return nil }
      // One value in parentheses without a comma is that value.
      let text = bytes[start..<position]
      return values.count == 1 && !text.contains(UInt8(ascii: ",")) ? values[0] : .array(values)
    case UInt8(ascii: "{")?: return dictionary().map { .object($0) }
    default: break
    }
    let start = position
    while let byte = next, Self.isWordByte(byte) || byte == UInt8(ascii: ".") || isSign(byte, start) { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    switch word {
    case "True": return .bool(true)
    case "False": return .bool(false)
    case "None": return .null
    default: return number(word)
    }
  }

  private func isSign(_ byte: UInt8, _ start: Int) -> Bool {
    guard byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") else { return false }
    return position == start || bytes[position - 1] == UInt8(ascii: "e") || bytes[position - 1] == UInt8(ascii: "E")
  }

  private func number(_ word: String) -> JSONValue? {
    if let value = TOMLScalar.value(of: word) {
      switch value {
      case .integer: return value
      case .number(let number): return number.isFinite ? value : nil
      default: return nil
      }
    }
    // Of any size in Python, of 64 bits in TOML.
    if JSONValue.isWhole(word) { return .whole(word) }
    // `1.` and `.5`, which TOML does not know.
    guard word.utf8.contains(where: { (0x30...0x39).contains($0) }), word.hasSuffix(".") || word.hasPrefix(".") else {
      return nil
    }
    return Double((word.hasPrefix(".") ? "0" : "") + word + (word.hasSuffix(".") ? "0" : "")).map { .number($0) }
  }

  private mutating func elements(until end: String) -> [JSONValue]? {
    position += 1
    var values: [JSONValue] = []
    while true {
      skipWhitespace()
      if take(end) { return values }
      guard let value = value() else { return nil }
      values.append(value)
      skipWhitespace()
      if take(end) { return values }
      guard take(",") else { return nil }
    }
  }

  private mutating func dictionary() -> JSONObject? {
    position += 1
    var object = JSONObject()
    while true {
      skipWhitespace()
      if take("}") { return object }
      guard let key = value() else { return nil }
      skipWhitespace()
      guard take(":") else { return nil }
      skipWhitespace()
      guard let value = value() else { return nil }
      object[key.string ?? String(decoding: key.canonical(), as: UTF8.self)] = value
      skipWhitespace()
      if take("}") { return object }
      guard take(",") else { return nil }
    }
  }

  private mutating func string() -> String? {
    guard let quote = next else { return nil }
    let end = looksAt(String(repeating: String(Character(Unicode.Scalar(quote))), count: 3)) ? 3 : 1
    let closing = [UInt8](repeating: quote, count: end)
    position += end
    var text: [UInt8] = []
    while position < bytes.count {
      if bytes[position...].starts(with: closing) {
        position += end
        return String(decoding: text, as: UTF8.self)
      }
      let byte = bytes[position]
      if end == 1, byte == 0x0a { return nil }
      position += 1
      guard byte == UInt8(ascii: "\\"), position < bytes.count else {
        text.append(byte)
        continue
      }
      let escaped = bytes[position]
      position += 1
      switch escaped {
      case UInt8(ascii: "n"): text.append(0x0a)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "r"): text.append(0x0d)
      case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): text.append(escaped)
      case 0x0a: break
      default: text += [byte, escaped]
      }
    }
    return nil
  }

  // MARK: - Bytes

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func looksAt(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

  private mutating func take(_ text: String) -> Bool {
    guard looksAt(text) else { return false }
    position += text.utf8.count
    return true
  }

  private mutating func identifier() -> String? {
    let start = position
    while let byte = next, Self.isWordByte(byte) { position += 1 }
    guard position > start, !(0x30...0x39).contains(bytes[start]) else { return nil }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func spacedIdentifier() -> String? {
    skipSpaces()
    return identifier()
  }

  private mutating func skipSpaces() { while next == 0x20 || next == 0x09 { position += 1 } }

  /// Skips spaces, line ends and comments, which may stand anywhere inside brackets.
  private mutating func skipWhitespace() {
    while let byte = next {
      if byte == UInt8(ascii: "#") {
        while let byte = next, byte != 0x0a { position += 1 }
      } else if [0x20, 0x09, 0x0a, 0x0d].contains(byte) {
        position += 1
      } else {
        return
      }
    }
  }

  private mutating func skipLine() {
    while let byte = next, byte != 0x0a { position += 1 }
    position += 1
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }
}
