import DVObject

/// Reads TOML 1.0 files, as far as parameters need: every kind of value; dates and times as their text.
///
/// A reader of our own because what Swift has wraps a C++ library, and a C++ runtime would enter every dv for the sake of
/// a file of parameters: see `docs/decisions/0010-toml.md`.
struct TOMLReader {
  /// The most bytes of a file.
  static let maximumByteCount = 4 << 20
  /// How deep values and tables may be nested.
  static let maximumDepth = 100

  private let file: String
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0
  private var root = TOMLTable()

  /// Reads a file.
  ///
  /// - Throws: ``PipelineError`` with file and line.
  static func read(_ bytes: [UInt8], named file: String) throws(PipelineError) -> JSONObject {
    guard bytes.count <= maximumByteCount else {
      throw PipelineError(.limit, "'\(file)' has \(bytes.count) bytes; at most \(maximumByteCount) are read.")
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw PipelineError(.syntax, "'\(file)' is not UTF-8.", remedy: "Save it as UTF-8.")
    }
    var reader = TOMLReader(file: file, bytes: bytes)
    return try reader.document()
  }

  private init(file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes
  }

  private func failure(_ what: String) -> PipelineError {
    let line = 1 + bytes[..<min(position, bytes.count)].count { $0 == 0x0a }
    return PipelineError(.syntax, "'\(file)' line \(line) is no TOML: \(what).")
  }

  // MARK: - Lines

  private mutating func document() throws(PipelineError) -> JSONObject {
    var table: [TOMLTable.Step] = []
    while true {
      skipLinesAndComments()
      guard let byte = next else { return root.object }
      if byte == UInt8(ascii: "[") {
        position += 1
        let isElement = take("[")
        let path = try keyPath()
        guard take("]"), !isElement || take("]") else { throw failure("a table's name does not end with ']'") }
        guard let opened = root.open(path, asElement: isElement) else {
          throw failure("the table '\(path.joined(separator: "."))' is defined twice, or is a value")
        }
        table = opened
      } else {
        let path = try keyPath()
        guard take("=") else { throw failure("expected '=' after the key '\(path.joined(separator: "."))'") }
        let value = try self.value()
        guard root.set(value, at: path, in: table) else {
          throw failure("the key '\(path.joined(separator: "."))' is defined twice")
        }
      }
      try endLine()
    }
  }

  private mutating func endLine() throws(PipelineError) {
    skipSpaces()
    if next == UInt8(ascii: "#") { skipComment() }
    if next == 0x0d { position += 1 }
    guard next == nil || next == 0x0a else { throw failure("expected the end of the line") }
  }

  private mutating func keyPath() throws(PipelineError) -> [String] {
    var path: [String] = []
    repeat {
      skipSpaces()
      path.append(try key())
      skipSpaces()
      guard path.count <= Self.maximumDepth else { throw failure("a key has more than \(Self.maximumDepth) parts") }
    } while take(".")
    return path
  }

  private mutating func key() throws(PipelineError) -> String {
    switch next {
    case UInt8(ascii: "\"")?: return try basicString()
    case UInt8(ascii: "'")?: return try literalString()
    default:
      let start = position
      while let byte = next, Self.isKeyByte(byte) { position += 1 }
      guard position > start else { throw failure("expected a key") }
      return text(start..<position)
    }
  }

  // MARK: - Values

  private mutating func value() throws(PipelineError) -> JSONValue {
    guard depth < Self.maximumDepth else { throw failure("values are nested more than \(Self.maximumDepth) levels deep") }
    depth += 1
    defer { depth -= 1 }
    skipSpaces()
    switch next {
    case UInt8(ascii: "\"")?: return .string(looksAt("\"\"\"") ? try multilineString("\"") : try basicString())
    case UInt8(ascii: "'")?: return .string(looksAt("'''") ? try multilineString("'") : try literalString())
    case UInt8(ascii: "[")?: return .array(try array())
    case UInt8(ascii: "{")?: return .object(try inlineTable())
    default:
      let start = position
      while let byte = next, Self.isKeyByte(byte) || [0x2b, 0x2e, 0x3a].contains(byte) || isTimeSeparator(byte, start) {
        position += 1
      }
      guard position > start else { throw failure("expected a value") }
      let word = text(start..<position)
      guard let value = TOMLScalar.value(of: word) else { throw failure("'\(word)' is no value") }
      return value
    }
  }

  /// A space may part a date from its time: `1979-05-27 07:32:00`.
  private func isTimeSeparator(_ byte: UInt8, _ start: Int) -> Bool {
    guard byte == UInt8(ascii: " "), position - start == 10, bytes[start + 4] == UInt8(ascii: "-") else { return false }
    return position + 1 < bytes.count && (0x30...0x39).contains(bytes[position + 1])
  }

  private mutating func array() throws(PipelineError) -> [JSONValue] {
    position += 1
    var values: [JSONValue] = []
    while true {
      skipLinesAndComments()
      if take("]") { return values }
      values.append(try value())
      skipLinesAndComments()
      if take("]") { return values }
      guard take(",") else { throw failure("expected ',' or ']' in a list") }
    }
  }

  private mutating func inlineTable() throws(PipelineError) -> JSONObject {
    position += 1
    var table = TOMLTable()
    skipSpaces()
    if take("}") { return table.object }
    while true {
      let path = try keyPath()
      guard take("=") else { throw failure("expected '=' after a key") }
      guard table.set(try value(), at: path, in: []) else {
        throw failure("the key '\(path.joined(separator: "."))' is defined twice")
      }
      skipSpaces()
      if take("}") { return table.object }
      guard take(",") else { throw failure("expected ',' or '}' in a table") }
    }
  }

  // MARK: - Text

  private mutating func basicString() throws(PipelineError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = next, byte != 0x0a {
      position += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
      if byte == UInt8(ascii: "\\") { try escape(into: &text) } else { text.append(byte) }
    }
    throw failure("text in quotes does not end")
  }

  private mutating func literalString() throws(PipelineError) -> String {
    position += 1
    let start = position
    while let byte = next, byte != 0x0a {
      position += 1
      if byte == UInt8(ascii: "'") { return text(start..<position - 1) }
    }
    throw failure("text in quotes does not end")
  }

  private mutating func multilineString(_ quote: String) throws(PipelineError) -> String {
    let end = String(repeating: quote, count: 3)
    position += 3
    if next == 0x0d { position += 1 }
    if next == 0x0a { position += 1 }
    var text: [UInt8] = []
    while let byte = next {
      if looksAt(end) {
        position += 3
        // Up to two quotes may stand right before the end.
        for _ in 0..<2 where take(quote) { text += quote.utf8 }
        return String(decoding: text, as: UTF8.self)
      }
      position += 1
      guard byte == UInt8(ascii: "\\"), quote == "\"" else {
        text.append(byte)
        continue
      }
      if endsLine() { skipWhitespace() } else { try escape(into: &text) }
    }
    throw failure("text in three quotes does not end")
  }

  /// Whether only spaces are left of the line.
  private func endsLine() -> Bool {
    bytes[position...].first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d } == 0x0a
  }

  private mutating func escape(into text: inout [UInt8]) throws(PipelineError) {
    guard let byte = next else { throw failure("text in quotes does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let count = byte == UInt8(ascii: "u") ? 4 : 8
      guard position + count <= bytes.count, let code = UInt32(self.text(position..<position + count), radix: 16),
        let scalar = Unicode.Scalar(code)
      else { throw failure("expected \(count) hex digits of a character") }
      position += count
      text += String(Character(scalar)).utf8
    default: throw failure("'\\\(Character(Unicode.Scalar(byte)))' is no escape")
    }
  }

  // MARK: - Bytes

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  private func looksAt(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

  private mutating func take(_ text: String) -> Bool {
    guard looksAt(text) else { return false }
    position += text.utf8.count
    return true
  }

  private mutating func skipSpaces() { while next == 0x20 || next == 0x09 { position += 1 } }

  private mutating func skipWhitespace() {
    while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
  }

  private mutating func skipComment() { while let byte = next, byte != 0x0a { position += 1 } }

  private mutating func skipLinesAndComments() {
    skipWhitespace()
    while next == UInt8(ascii: "#") {
      skipComment()
      skipWhitespace()
    }
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
