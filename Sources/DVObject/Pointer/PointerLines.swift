/// The lines of a pointer, taken one after the other, and errors that say which line they are about.
struct PointerLines {
  /// What makes a bad pointer good again.
  private static let remedy = "Restore it with 'git checkout', or make it anew with 'dv add'."

  private let name: String
  private let text: [UInt8]
  /// Where the next line begins.
  private var position = 0
  /// The number of the line taken last, from 1.
  private var line = 0

  init(_ bytes: Span<UInt8>, name: String) {
    self.name = name
    var text: [UInt8] = []
    text.append(span: bytes)
    self.text = text
  }

  /// Whether the bytes begin as a pointer of any version does.
  static func beginsPointer(_ bytes: Span<UInt8>) -> Bool {
    let start = Array("dv-pointer ".utf8)
    return bytes.count >= start.count && start.indices.allSatisfy { bytes[$0] == start[$0] }
  }

  /// Returns the number of the first line that git begins a conflict with, or `nil`.
  static func conflictLine(in bytes: Span<UInt8>) -> Int? {
    var line = 1
    var start = 0
    while start < bytes.count {
      let markers = [UInt8(ascii: "<"), UInt8(ascii: "|"), UInt8(ascii: "="), UInt8(ascii: ">")]
      var length = 0
      while length < 7, start + length < bytes.count, bytes[start + length] == bytes[start], markers.contains(bytes[start]) {
        length += 1
      }
      if length == 7 { return line }
      while start < bytes.count, bytes[start] != UInt8(ascii: "\n") { start += 1 }
      start += 1
      line += 1
    }
    return nil
  }

  /// Whether the next line begins with `key` and a space.
  func hasNext(_ key: String) -> Bool {
    text[position...].starts(with: Array(key.utf8) + [UInt8(ascii: " ")])
  }

  /// Takes the next line, which must be `key`, a space and a value, and returns the value.
  mutating func value(of key: String) throws(ObjectFormatError) -> String {
    line += 1
    guard position < text.count else { throw malformed("the file ends here, expected '\(key)'.") }
    let end = text[position...].firstIndex(of: UInt8(ascii: "\n"))
    guard hasNext(key) else {
      let expected = line == 1 ? "dv-pointer 1" : "\(key) …"
      throw malformed("found '\(shown(text[position..<(end ?? text.count)]))', expected '\(expected)'.")
    }
    guard let end else { throw malformed("the line does not end with a line feed; the file may be cut short.") }
    let value = text[position + key.utf8.count + 1..<end]
    position = end + 1
    guard value.last != UInt8(ascii: "\r") else {
      throw malformed("the line ends with CR LF, expected LF. Put '*.dv -text' into .gitattributes.")
    }
    guard value.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw malformed("'\(shown(value))' has a space or another character that no pointer has.")
    }
    return String(decoding: value, as: UTF8.self)
  }

  /// Takes the next line, which must be `key` and an object ID.
  mutating func id(of key: String) throws(ObjectFormatError) -> ObjectID {
    let value = try value(of: key)
    guard let id = try? ObjectID(text: value) else {
      throw malformed("\(key) is '\(shown(value.utf8))', expected 'sha256:' and 64 lowercase hex digits.")
    }
    return id
  }

  /// Takes the next line, which must be `key` and a decimal number below 2^64.
  mutating func number(of key: String, unit: String) throws(ObjectFormatError) -> UInt64 {
    let value = try value(of: key)
    // `UInt64.init` would take a sign and leading zeros; a pointer has one encoding.
    guard value.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), value == "0" || value.first != "0",
      let number = UInt64(value)
    else {
      throw malformed("\(key) is '\(shown(value.utf8))', expected a number of \(unit).")
    }
    return number
  }

  /// Throws unless every line was taken.
  mutating func end() throws(ObjectFormatError) {
    guard position < text.count else { return }
    line += 1
    let rest = text[position..<(text[position...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count)]
    throw malformed("found '\(shown(rest))', expected the end of the file.")
  }

  /// The error for the line taken last.
  func malformed(_ problem: String) -> ObjectFormatError {
    ObjectFormatError(.malformed, "'\(name)' line \(line): \(problem) \(Self.remedy)")
  }

  func unsupported(_ problem: String) -> ObjectFormatError {
    ObjectFormatError(.unsupported, "'\(name)' line \(line): \(problem)")
  }

  /// A value for a message: not endless, and without control characters that would act on a terminal.
  private func shown(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.prefix(80).map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
  }
}
