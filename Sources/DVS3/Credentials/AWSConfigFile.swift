import DVFile

/// A file in the dialect of `~/.aws/config` and `~/.aws/credentials`.
///
///     [profile lab]              a section; the name is all between the brackets
///     region = eu-central-1      a property; what follows ` #` or ` ;` is a comment
///     s3 =                       a property without value, whose properties
///       addressing_style = path  stand below it, further to the right
///
/// A line further to the right than its property, if that has a value, continues the value. Sections of one name are one; of
/// properties of one name the last counts. Names of properties are read in lower case.
struct AWSConfigFile {
  struct Section: Hashable {
    var values: [String: String] = [:]
    var nested: [String: [String: String]] = [:]
  }

  /// By what stands between the brackets, with single spaces.
  private(set) var sections: [String: Section] = [:]

  private var section: String?
  private var property: Property?

  /// The property that the lines below it may belong to.
  private struct Property {
    let name: String
    let indent: Int
  }

  /// - Parameter path: For messages, which name file and line and never quote a line: it may be a secret.
  /// - Throws: ``CredentialError/Code/invalid`` if the file is not in this dialect or larger than
  ///   ``CredentialEnvironment/fileLimit``.
  init(_ bytes: [UInt8], path: String) throws(CredentialError) {
    let name = "'\(TerminalSafe.text(path))'"
    guard bytes.count <= CredentialEnvironment.fileLimit else {
      throw CredentialError(.invalid, "\(name) has \(bytes.count) bytes, at most \(CredentialEnvironment.fileLimit) are read.")
    }
    let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    var number = 0
    for line in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard let text = String(validating: line, as: UTF8.self) else {
        throw CredentialError(.invalid, "\(name) line \(number) is not UTF-8.")
      }
      guard read(text) else {
        throw CredentialError(
          .invalid, "\(name) line \(number) is not understood: expected '[section]', 'name = value' or a comment.")
      }
    }
  }

  /// Reads one line, and says whether it could.
  private mutating func read(_ line: String) -> Bool {
    let indent = line.prefix(while: Self.isSpace).count
    let text = Self.trimmed(line)
    guard let first = text.first else { return true }
    if first == "#" || first == ";" { return true }
    if first == "[" && indent == 0 { return readHeader(text) }
    guard let section else { return false }
    if let property, indent > property.indent { return readBelow(property, in: section, text) }
    guard let (name, value) = Self.assignment(text) else { return false }
    property = Property(name: name, indent: indent)
    sections[section]?.values[name] = value
    return true
  }

  private mutating func readHeader(_ text: Substring) -> Bool {
    guard let end = text.firstIndex(of: "]") else { return false }
    let after = Self.trimmed(text[text.index(after: end)...])
    guard after.isEmpty || after.hasPrefix("#") || after.hasPrefix(";") else { return false }
    let name = text[text.index(after: text.startIndex)..<end].split(whereSeparator: Self.isSpace).joined(separator: " ")
    guard !name.isEmpty else { return false }
    section = name
    property = nil
    if sections[name] == nil { sections[name] = Section() }
    return true
  }

  /// Reads a line further to the right than the property before it.
  private mutating func readBelow(_ property: Property, in section: String, _ text: Substring) -> Bool {
    if let value = sections[section]?.values[property.name], !value.isEmpty {
      sections[section]?.values[property.name] = "\(value)\n\(text)"
      return true
    }
    guard let (name, value) = Self.assignment(text) else { return false }
    sections[section]?.nested[property.name, default: [:]][name] = value
    return true
  }

  /// Returns name and value of `name = value`.
  private static func assignment(_ text: Substring) -> (String, String)? {
    guard let sign = text.firstIndex(of: "=") else { return nil }
    let name = trimmed(text[..<sign]).lowercased()
    guard !name.isEmpty else { return nil }
    return (name, String(trimmed(withoutComment(text[text.index(after: sign)...]))))
  }

  /// Returns `text` up to a space that `#` or `;` follows.
  private static func withoutComment(_ text: Substring) -> Substring {
    var afterSpace = false
    for (index, character) in zip(text.indices, text) {
      if afterSpace, character == "#" || character == ";" { return text[..<index] }
      afterSpace = isSpace(character)
    }
    return text
  }

  private static func trimmed(_ text: some StringProtocol) -> Substring {
    var rest = Substring(text)
    while let last = rest.last, isSpace(last) { rest.removeLast() }
    return rest.drop(while: isSpace)
  }

  private static func isSpace(_ character: Character) -> Bool {
    character == " " || character == "\t" || character == "\r"
  }
}
