import DVFile

/// Writes JSON text: members stay in the order in which they are written, on one line.
///
///     var json = JSONText()
///     json.object { json in
///       json.member("schema", "dv.add/1")
///       json.array("added") { json in
///         for file in report.added { json.object { … } }
///       }
///     }
///
/// Written straight to bytes, so that a report of a million entries costs its text and no tree of values.
///
/// A path is bytes, and a JSON string is Unicode. ``path(_:_:)`` writes a path that is UTF-8 as it is; any other with each
/// wrong byte as U+FFFD, beside a member `<key>Bytes` that holds all its bytes in hexadecimal. What commands a terminal or reorders text
/// is escaped, also where JSON would not need it: the text may end on one.
struct JSONText {
  /// The text so far, in UTF-8.
  private(set) var bytes: [UInt8] = []
  /// Whether a value stands before the place where the next one goes.
  private var needsComma = false

  /// The text so far.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  // MARK: Values

  /// Writes an object whose members are written by `body`.
  mutating func object(_ body: (inout JSONText) throws -> Void) rethrows {
    try nest(open: "{", close: "}", body)
  }

  /// Writes an array whose values are written by `body`.
  mutating func array(_ body: (inout JSONText) throws -> Void) rethrows {
    try nest(open: "[", close: "]", body)
  }

  mutating func value(_ string: some StringProtocol) {
    separate()
    appendQuoted(string)
  }

  mutating func value(_ number: some FixedWidthInteger) {
    separate()
    bytes.append(contentsOf: "\(number)".utf8)
  }

  /// Writes a number, or as a string what JSON has no number for: `"NaN"`, `"Infinity"`, `"-Infinity"`.
  mutating func value(_ number: Double) {
    guard number.isFinite else { return value(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity") }
    separate()
    bytes.append(contentsOf: "\(number)".utf8)
  }

  mutating func value(_ flag: Bool) {
    separate()
    bytes.append(contentsOf: (flag ? "true" : "false").utf8)
  }

  mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
  }

  // MARK: Members of an object

  /// Writes a member whose value `body` writes.
  private mutating func member(_ key: String, _ body: (inout JSONText) throws -> Void) rethrows {
    separate()
    appendQuoted(key)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
    try body(&self)
  }

  mutating func object(_ key: String, _ body: (inout JSONText) throws -> Void) rethrows {
    try member(key) { json throws in try json.object(body) }
  }

  mutating func array(_ key: String, _ body: (inout JSONText) throws -> Void) rethrows {
    try member(key) { json throws in try json.array(body) }
  }

  /// Writes a member, with `null` for an absent string.
  mutating func member(_ key: String, _ string: String?) {
    member(key) { json in
      if let string { json.value(string) } else { json.null() }
    }
  }

  /// Writes a member, with `null` for an absent number.
  mutating func member(_ key: String, _ number: (some FixedWidthInteger)?) {
    member(key) { json in
      if let number { json.value(number) } else { json.null() }
    }
  }

  mutating func member(_ key: String, _ number: Double) {
    member(key) { $0.value(number) }
  }

  mutating func member(_ key: String, _ flag: Bool) {
    member(key) { $0.value(flag) }
  }

  /// Writes a path, and `<key>Bytes` after it if the path is not UTF-8.
  mutating func path(_ key: String, _ path: [UInt8]) {
    // Decoding repairs: the text is the path exactly if it has the same bytes.
    let text = String(decoding: path, as: UTF8.self)
    member(key, text)
    guard !text.utf8.elementsEqual(path) else { return }
    member(key + "Bytes", path.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
  }

  // MARK: Text

  private mutating func nest(open: Unicode.Scalar, close: Unicode.Scalar, _ body: (inout JSONText) throws -> Void) rethrows {
    separate()
    bytes.append(UInt8(ascii: open))
    needsComma = false
    try body(&self)
    bytes.append(UInt8(ascii: close))
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func appendQuoted(_ string: some StringProtocol) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    // All that misleads begins with one of these in UTF-8.
    let isSuspect = string.utf8.contains { byte in
      switch byte {
      case 0x7F, 0xC2, 0xD8, 0xE2, 0xEF: true
      default: false
      }
    }
    if isSuspect {
      for scalar in string.unicodeScalars {
        if scalar.value >= 0x7F, TerminalSafe.isMisleading(scalar) {
          let digits = String(scalar.value, radix: 16)
          bytes.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
        } else {
          append(String(scalar).utf8)
        }
      }
    } else {
      append(string.utf8)
    }
  }

  private mutating func append(_ text: some Sequence<UInt8>) {
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
      case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
      case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
      case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
      case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
      case 0..<0x20: bytes.append(contentsOf: ("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)).utf8)
      default: bytes.append(byte)
      }
    }
  }
}
