/// Reads XML from front to back, as much of it as the answers of S3 and STS use.
///
/// Known are elements, attributes (read and dropped), text, CDATA, comments, processing instructions, the five named entities and
/// numeric ones. A document type is refused, and with it every entity that could name a file or grow without end. The
/// text must be UTF-8. Names are told apart by what follows the colon: namespaces differ from server to server.
///
/// Memory is the document's and one name per open element; nothing recurses.
struct XMLReader {
  /// How deep elements may lie in each other. S3's answers need five levels.
  static let maximumDepth = 32
  /// How many attributes an element may have.
  static let maximumAttributes = 32

  private let bytes: [UInt8]
  private var position = 0
  /// The full names of the elements that are open, the root first.
  private var open: [ArraySlice<UInt8>] = []
  /// Whether the element read last was written `<name/>`, so that its end is still to be told.
  private var endPending = false

  /// - Parameter limit: How many bytes the document may have.
  init(_ bytes: [UInt8], limit: Int) throws(XMLError) {
    guard bytes.count <= limit else {
      throw XMLError("the document has \(bytes.count) bytes, at most \(limit) are read", at: 0)
    }
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    try readDeclaration()
  }

  // MARK: Elements

  /// Reads up to the root element and returns its local name.
  mutating func root() throws(XMLError) -> String {
    precondition(open.isEmpty, "the root is read once")
    try skipMiscellaneous()
    guard peek() == UInt8(ascii: "<") else { throw failure("expected an element") }
    position += 1
    return try readStartTag()
  }

  /// Reads on in the innermost open element to the next element in it, and returns its local name; `nil` at its end, which
  /// closes it.
  ///
  /// - Throws: ``XMLError`` if there is text other than white space between the elements.
  mutating func child() throws(XMLError) -> String? {
    while true {
      switch try next() {
      case .start(let name): return name
      case .end: return nil
      case .text(let text):
        guard text.utf8.allSatisfy(Self.isSpace) else {
          throw failure("'\(openName)' has text where elements are expected")
        }
      }
    }
  }

  /// Reads the innermost open element to its end and returns its text.
  ///
  /// - Throws: ``XMLError`` if there is an element in it.
  mutating func text() throws(XMLError) -> String {
    var result = ""
    while true {
      switch try next() {
      case .start(let name): throw failure("element '\(name)' stands where text is expected")
      case .end: return result
      case .text(let text): result += text
      }
    }
  }

  /// Reads the innermost open element to its end and drops what is in it.
  mutating func skip() throws(XMLError) {
    let depth = open.count
    while open.count >= depth { _ = try next() }
  }

  /// Reads what follows the root: nothing but white space, comments and processing instructions.
  mutating func finish() throws(XMLError) {
    precondition(open.isEmpty, "the root was read to its end")
    try skipMiscellaneous()
    guard position == bytes.count else { throw failure("something follows the end of the document") }
  }

  /// An error at what is being read.
  func failure(_ reason: String) -> XMLError { XMLError(reason, at: position) }

  // MARK: Grammar

  private enum Event {
    case start(String)
    case end
    case text(String)
  }

  private var openName: String { open.last.map(Self.localName) ?? "" }

  /// Reads the next event inside the root.
  private mutating func next() throws(XMLError) -> Event {
    precondition(!open.isEmpty, "an element is open")
    if endPending {
      endPending = false
      open.removeLast()
      return .end
    }
    while true {
      guard let byte = peek() else { throw failure("the document ends inside '\(openName)'") }
      guard byte == UInt8(ascii: "<") else { return .text(try readText()) }
      if try skipComment() { continue }
      if follows("<![CDATA[") { return .text(try readCDATA()) }
      if follows("</") {
        try readEndTag()
        return .end
      }
      position += 1
      return .start(try readStartTag())
    }
  }

  /// Reads `name attributes>` or `name attributes/>`.
  private mutating func readStartTag() throws(XMLError) -> String {
    guard open.count < Self.maximumDepth else { throw failure("more than \(Self.maximumDepth) levels of elements") }
    let name = try readName()
    var attributes: [ArraySlice<UInt8>] = []
    while true {
      let spaced = skipSpace()
      if follows("/>") {
        position += 2
        endPending = true
        break
      }
      if peek() == UInt8(ascii: ">") {
        position += 1
        break
      }
      guard spaced, attributes.count < Self.maximumAttributes else {
        throw failure("the tag of '\(Self.localName(name))' is malformed")
      }
      let attribute = try readName()
      guard !attributes.contains(attribute) else { throw failure("an attribute is given twice") }
      attributes.append(attribute)
      try readAttributeValue()
    }
    open.append(name)
    return Self.localName(name)
  }

  private mutating func readEndTag() throws(XMLError) {
    position += 2
    let name = try readName()
    skipSpace()
    guard peek() == UInt8(ascii: ">") else { throw failure("an end tag is malformed") }
    guard open.last == name else { throw failure("the end tag does not match the open element '\(openName)'") }
    position += 1
    open.removeLast()
  }

  private mutating func readAttributeValue() throws(XMLError) {
    skipSpace()
    guard peek() == UInt8(ascii: "=") else { throw failure("an attribute has no value") }
    position += 1
    skipSpace()
    guard let quote = peek(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
      throw failure("an attribute's value is not quoted")
    }
    position += 1
    while let byte = peek(), byte != quote {
      switch byte {
      case UInt8(ascii: "<"): throw failure("an attribute's value holds '<'")
      case UInt8(ascii: "&"): _ = try readReference()
      default: _ = try readCharacters { $0 != quote && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: "&") }
      }
    }
    guard peek() == quote else { throw failure("an attribute's value does not end") }
    position += 1
  }

  private mutating func readName() throws(XMLError) -> ArraySlice<UInt8> {
    let start = position
    while let byte = peek(), Self.isNameByte(byte) { position += 1 }
    let name = bytes[start..<position]
    guard let first = name.first, !Self.isInnerNameByte(first), first != UInt8(ascii: ":"),
      name.last != UInt8(ascii: ":"), name.allSatisfy({ $0 < 0x80 }) || String(validating: name, as: UTF8.self) != nil
    else { throw XMLError("expected a name", at: start) }
    return name
  }

  /// Reads text up to the next tag, with its references replaced.
  private mutating func readText() throws(XMLError) -> String {
    var result = ""
    while let byte = peek(), byte != UInt8(ascii: "<") {
      if byte == UInt8(ascii: "&") {
        result.unicodeScalars.append(try readReference())
      } else {
        let start = position
        result += try readCharacters { $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: "&") }
        guard bytes[start..<position].firstIndex(of: "]]>") == nil else { throw XMLError("text holds ']]>'", at: start) }
      }
    }
    return result
  }

  private mutating func readCDATA() throws(XMLError) -> String {
    let start = position + 9
    guard let end = bytes[start...].firstIndex(of: "]]>") else { throw failure("a CDATA section does not end") }
    let text = try Self.characters(bytes[start..<end])
    position = end + 3
    return text
  }

  /// Reads characters while their bytes fulfil `condition`, which must not tell bytes of one character apart.
  private mutating func readCharacters(while condition: (UInt8) -> Bool) throws(XMLError) -> String {
    let start = position
    while let byte = peek(), condition(byte) { position += 1 }
    return try Self.characters(bytes[start..<position])
  }

  /// Reads `&name;` or `&#number;`.
  private mutating func readReference() throws(XMLError) -> Unicode.Scalar {
    // The longest is `&#x10FFFF;`, or one with a few zeros before.
    let body = bytes[(position + 1)...].prefix(16)
    guard let end = body.firstIndex(of: UInt8(ascii: ";")) else { throw failure("'&' begins no reference") }
    let name = String(decoding: bytes[position + 1..<end], as: UTF8.self)
    guard let scalar = Self.scalar(named: name), Self.isCharacter(scalar) else {
      throw failure("a reference names no character")
    }
    position = end + 1
    return scalar
  }

  private static func scalar(named name: String) -> Unicode.Scalar? {
    switch name {
    case "lt": return "<"
    case "gt": return ">"
    case "amp": return "&"
    case "quot": return "\""
    case "apos": return "'"
    default:
      let isHexadecimal = name.hasPrefix("#x")
      let digits = name.utf8.dropFirst(isHexadecimal ? 2 : 1)
      // A number's own parser would take a sign.
      guard name.hasPrefix("#"), digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-") else { return nil }
      return UInt32(String(Substring(digits)), radix: isHexadecimal ? 16 : 10).flatMap(Unicode.Scalar.init)
    }
  }

  // MARK: What is between

  /// Reads `<?xml version="1.0" encoding="UTF-8"?>`, if the document begins with it.
  private mutating func readDeclaration() throws(XMLError) {
    guard follows("<?xml"), position + 5 < bytes.count, Self.isSpace(bytes[position + 5]) else { return }
    guard let end = bytes[position...].firstIndex(of: "?>") else { throw failure("the XML declaration does not end") }
    let declaration = String(decoding: bytes[position..<end], as: UTF8.self).lowercased()
    if let encoding = declaration.firstRange(of: "encoding") {
      let value = declaration[encoding.upperBound...].drop { " \t\r\n=".contains($0) }
      guard ["utf-8", "us-ascii"].contains(where: { value.hasPrefix("\"\($0)\"") || value.hasPrefix("'\($0)'") }) else {
        throw failure("the document is not in UTF-8")
      }
    }
    position = end + 2
  }

  /// Skips white space, comments and processing instructions outside of the root.
  private mutating func skipMiscellaneous() throws(XMLError) {
    repeat { skipSpace() } while try skipComment()
    guard !follows("<!") else { throw failure("a document type is not accepted") }
  }

  /// Skips one comment or processing instruction, if one is next.
  private mutating func skipComment() throws(XMLError) -> Bool {
    let (opening, closing): (Int, String)
    if follows("<!--") {
      (opening, closing) = (4, "-->")
    } else if follows("<?") {
      (opening, closing) = (2, "?>")
    } else {
      return false
    }
    guard let end = bytes[(position + opening)...].firstIndex(of: closing) else {
      throw failure("a comment or an instruction does not end")
    }
    _ = try Self.characters(bytes[position..<end])
    position = end + closing.utf8.count
    return true
  }

  @discardableResult
  private mutating func skipSpace() -> Bool {
    let start = position
    while let byte = peek(), Self.isSpace(byte) { position += 1 }
    return position > start
  }

  // MARK: Bytes

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private func follows(_ text: String) -> Bool {
    var index = position
    for byte in text.utf8 {
      guard index < bytes.count, bytes[index] == byte else { return false }
      index += 1
    }
    return true
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
      UInt8(ascii: ":"), 0x80...:
      true
    default: isInnerNameByte(byte)
    }
  }

  /// Whether `byte` may stand in a name but not begin one.
  private static func isInnerNameByte(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
  }

  private static func localName(_ name: ArraySlice<UInt8>) -> String {
    let start = name.lastIndex(of: UInt8(ascii: ":")).map { $0 + 1 } ?? name.startIndex
    return String(decoding: name[start...], as: UTF8.self)
  }

  /// Returns `bytes` as text with line ends as `\n`, if they are UTF-8 and hold only characters that XML allows.
  private static func characters(_ bytes: ArraySlice<UInt8>) throws(XMLError) -> String {
    // Nearly all text is printable ASCII: nothing in it to check or to replace.
    if bytes.allSatisfy({ 0x20..<0x7F ~= $0 || $0 == 0x0A }) { return String(decoding: bytes, as: UTF8.self) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw XMLError("the text is not UTF-8", at: bytes.startIndex)
    }
    guard text.unicodeScalars.allSatisfy(isCharacter) else {
      throw XMLError("the text holds a control character", at: bytes.startIndex)
    }
    guard bytes.contains(0x0D) else { return text }
    var result = ""
    for (index, scalar) in zip(text.unicodeScalars.indices, text.unicodeScalars) {
      guard scalar == "\r" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      let next = text.unicodeScalars.index(after: index)
      if next == text.unicodeScalars.endIndex || text.unicodeScalars[next] != "\n" { result += "\n" }
    }
    return result
  }

  private static func isCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D, 0x20...0xFFFD, 0x1_0000...0x10_FFFF: true
    default: false
    }
  }
}

extension ArraySlice<UInt8> {
  fileprivate func firstIndex(of text: String) -> Int? {
    guard let first = text.utf8.first else { return startIndex }
    return indices.first { self[$0] == first && self[$0...].starts(with: text.utf8) }
  }
}
