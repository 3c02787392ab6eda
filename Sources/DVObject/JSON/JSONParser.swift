extension JSONValue {
  /// How deep values may be nested.
  public static let maximumDepth = 128

  /// Reads any JSON text of RFC 8259: one value, with spaces around it.
  ///
  /// - Parameter name: what is read, for messages.
  /// - Throws: ``ObjectFormatError`` with the line for what is no JSON, has a key twice or is nested too deep.
  public init(parsing bytes: [UInt8], named name: String) throws(ObjectFormatError) {
    var parser = JSONParser(bytes: bytes, name: name)
    self = try parser.document()
  }

  /// Reads a value from its canonical encoding and refuses every other; see ``canonical()``.
  ///
  /// - Parameters:
  ///   - limit: the most bytes it may have.
  ///   - name: what is read, for messages.
  public init(canonical bytes: [UInt8], limit: Int, named name: String) throws(ObjectFormatError) {
    guard bytes.count <= limit else {
      throw ObjectFormatError(.tooLarge, "\(name) has \(bytes.count) bytes; at most \(limit) are allowed.")
    }
    let value = try JSONValue(parsing: bytes, named: name)
    guard value.canonical() == bytes else {
      throw .malformed("\(name) is JSON, but not in its canonical form (RFC 8785): it was changed after it was written.")
    }
    self = value
  }
}

/// Reads JSON from bytes.
struct JSONParser {
  private let bytes: [UInt8]
  private let name: String
  private var position = 0
  private var depth = 0

  init(bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  mutating func document() throws(ObjectFormatError) -> JSONValue {
    let value = try self.value()
    skipSpaces()
    guard position == bytes.count else { throw failure("expected the end after the value") }
    return value
  }

  private func failure(_ what: String) -> ObjectFormatError {
    let line = 1 + bytes[..<min(position, bytes.count)].count { $0 == 0x0a }
    return .malformed("\(name) line \(line) is no JSON: \(what).")
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpaces() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func value() throws(ObjectFormatError) -> JSONValue {
    skipSpaces()
    guard let byte = next else { throw failure("it ends where a value is expected") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { parser throws(ObjectFormatError) in .object(try parser.object()) }
    case UInt8(ascii: "["): return try nested { parser throws(ObjectFormatError) in .array(try parser.array()) }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default:
      for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)]
      where bytes[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
      throw failure("expected a value")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(ObjectFormatError) -> JSONValue
  ) throws(ObjectFormatError) -> JSONValue {
    guard depth < JSONValue.maximumDepth else {
      throw ObjectFormatError(.tooLarge, "\(name) is nested more than \(JSONValue.maximumDepth) levels deep.")
    }
    depth += 1
    defer { depth -= 1 }
    position += 1
    return try body(&self)
  }

  private mutating func object() throws(ObjectFormatError) -> JSONObject {
    var object = JSONObject()
    skipSpaces()
    if take(UInt8(ascii: "}")) { return object }
    while true {
      skipSpaces()
      guard next == UInt8(ascii: "\"") else { throw failure("expected a key in quotes") }
      let key = try string()
      guard object[key] == nil else { throw failure("the key '\(key)' stands there twice") }
      skipSpaces()
      guard take(UInt8(ascii: ":")) else { throw failure("expected ':' after the key '\(key)'") }
      object[key] = try value()
      skipSpaces()
      if take(UInt8(ascii: "}")) { return object }
      guard take(UInt8(ascii: ",")) else { throw failure("expected ',' or '}'") }
    }
  }

  private mutating func array() throws(ObjectFormatError) -> [JSONValue] {
    var values: [JSONValue] = []
    skipSpaces()
    if take(UInt8(ascii: "]")) { return values }
    while true {
      values.append(try value())
      skipSpaces()
      if take(UInt8(ascii: "]")) { return values }
      guard take(UInt8(ascii: ",")) else { throw failure("expected ',' or ']'") }
    }
  }

  private mutating func number() throws(ObjectFormatError) -> JSONValue {
    let start = position
    _ = take(UInt8(ascii: "-"))
    let first = next
    let whole = skipDigits()
    guard whole > 0, first != UInt8(ascii: "0") || whole == 1 else { throw failure("that is no number") }
    var isWhole = true
    if take(UInt8(ascii: ".")) {
      isWhole = false
      guard skipDigits() > 0 else { throw failure("expected digits after the point") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "-")) { _ = take(UInt8(ascii: "+")) }
      guard skipDigits() > 0 else { throw failure("expected digits of the exponent") }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    // "-0" is the number whose sign an integer cannot keep.
    if isWhole, text != "-0" { return .whole(text) }
    guard let value = Double(text), value.isFinite else { throw failure("the number '\(text)' is too large") }
    return .number(value)
  }

  private mutating func skipDigits() -> Int {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position - start
  }

  private mutating func string() throws(ObjectFormatError) -> String {
    position += 1
    // What needs no escape is taken in one piece.
    let start = position
    while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
    var text = Array(bytes[start..<position])
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else { throw failure("a string is not UTF-8") }
        return string
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw failure("a control character stands unescaped in a string")
      default: text.append(byte)
      }
    }
    throw failure("a string does not end")
  }

  private mutating func escape(into text: inout [UInt8]) throws(ObjectFormatError) {
    guard let byte = next else { throw failure("a string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var scalar = try fourDigits()
      if (0xd800..<0xdc00).contains(scalar) {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw failure("half of a surrogate pair is missing") }
        let low = try fourDigits()
        guard (0xdc00..<0xe000).contains(low) else { throw failure("half of a surrogate pair is missing") }
        scalar = 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let character = Unicode.Scalar(scalar) else { throw failure("half of a surrogate pair is missing") }
      text += String(Character(character)).utf8
    default: throw failure("'\\\(Character(Unicode.Scalar(byte)))' is no escape")
    }
  }

  private mutating func fourDigits() throws(ObjectFormatError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw failure("a string does not end") }
    let digits = bytes[position..<position + 4]
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("expected four hex digits after '\\u'") }
    position += 4
    return value
  }
}
