public import DVObject

/// Sets one value in the text of a file of parameters, leaving every other character as it is where that can be done.
///
/// Lines that may hold the value are tried one after the other: what is read back from the changed text decides. A value that
/// stands on no line of its own in YAML or JSON has the whole file written anew, as JSON, which is YAML too.
public enum ValueEdit {
  /// Reads a value as it is written in YAML, from a command line.
  public static func value(of text: String) -> JSONValue {
    let content = try? YAMLReader.read(Array("value: \(text)".utf8), named: "the value")
    return content?["value"]?.value ?? .string(text)
  }

  /// Returns the text with another value.
  ///
  /// - Throws: ``PipelineError/Code/value`` if the file has no such parameter or cannot be changed.
  public static func setting(
    _ new: JSONValue, at name: String, in bytes: [UInt8], named file: String
  ) throws(PipelineError) -> [UInt8] {
    let old = try ValueFile.read(bytes, named: file)
    guard let path = ValuePath(name), old.value(at: path) != nil else {
      throw PipelineError(
        .value, "'\(file)' has no parameter '\(name)'.\(Suggestion(for: name, among: old.flattened().map(\.name)))")
    }
    guard let wanted = old.setting(new, at: path) else {
      throw PipelineError(.value, "'\(name)' in '\(file)' cannot be set.")
    }
    if wanted.canonical() == old.canonical() { return bytes }
    let suffix = file.split(separator: ".").last.map(String.init) ?? ""
    if let edited = edited(bytes, key: path.steps.last ?? name, new, suffix, isWanted: { text in
      (try? ValueFile.read(text, named: file))?.canonical() == wanted.canonical()
    }) {
      return edited
    }
    guard ["json", "yaml", "yml"].contains(suffix) else {
      throw PipelineError(
        .value, "'\(name)' in '\(file)' does not stand on a line of its own, so it cannot be set.",
        remedy: "Write it as 'NAME = VALUE'.")
    }
    return Array((pretty(wanted, "") + "\n").utf8)
  }

  /// Tries the lines on which the key stands.
  private static func edited(
    _ bytes: [UInt8], key: String, _ new: JSONValue, _ suffix: String, isWanted: ([UInt8]) -> Bool
  ) -> [UInt8]? {
    let isPython = suffix == "py"
    let separators: [Character] = isPython ? ["=", ":"] : [suffix == "toml" ? "=" : ":"]
    let isYAML = !["toml", "json", "py"].contains(suffix)
    let plain = literal(new, isPython: isPython)
    let text = new.string.map { isYAML ? StageText.scalar($0) : plain } ?? plain
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var tries = 0
    for index in lines.indices {
      let line = lines[index]
      guard line.contains(key), tries < 64, let range = place(of: key, separators, in: line) else { continue }
      tries += 1
      // Digits that no number of 64 bits has are text to us, and in the file what was there before: bare, or in quotes.
      let bare = new.string.flatMap { isWhole($0) && !"\"'".contains(line[range.lowerBound]) ? $0 : nil }
      lines[index] = line.replacingCharacters(in: range, with: bare ?? text)
      let edited = Array(lines.joined(separator: "\n").utf8)
      if isWanted(edited) { return edited }
      lines[index] = line
    }
    return nil
  }

  /// A value as files have it: the canonical encoding, but with the digits of whole numbers that it has as text.
  private static func literal(_ value: JSONValue, isPython: Bool = false) -> String {
    switch value {
    case .integer(let number): String(number)
    case .null where isPython: "None"
    case .bool(let value) where isPython: value ? "True" : "False"
    case .array(let values): "[" + values.map { literal($0, isPython: isPython) }.joined(separator: isPython ? ", " : ",") + "]"
    default: String(decoding: value.canonical(), as: UTF8.self)
    }
  }

  /// Whether text is the encoding of a whole number, too.
  private static func isWhole(_ text: String) -> Bool {
    JSONValue.isWhole(text) && JSONValue.whole(text).canonical() == JSONValue.string(text).canonical()
  }

  /// Where the value after `key` stands on a line.
  private static func place(of key: String, _ separators: [Character], in line: String) -> Range<String.Index>? {
    var rest = line[...]
    while let found = rest.firstRange(of: key) {
      rest = rest[found.upperBound...]
      var after = rest
      if let quote = after.first, quote == "\"" || quote == "'" { after = after.dropFirst() }
      after = after.drop { $0 == " " || $0 == "\t" }
      guard let separator = after.first, separators.contains(separator) else { continue }
      after = after.dropFirst().drop { $0 == " " || $0 == "\t" }
      let start = after.startIndex
      guard let first = after.first else { continue }
      if first == "\"" || first == "'" {
        guard let end = after.dropFirst().firstIndex(of: first) else { continue }
        return start..<after.index(after: end)
      }
      if first == "[" {
        guard let end = after.firstIndex(of: "]") else { continue }
        return start..<after.index(after: end)
      }
      var end = after.firstRange(of: " #")?.lowerBound ?? after.endIndex
      if let stop = after[..<end].firstIndex(where: { ",}]\r".contains($0) }) { end = stop }
      while end > start, after[after.index(before: end)] == " " { end = after.index(before: end) }
      if end > start { return start..<end }
    }
    return nil
  }

  /// JSON with line breaks, as people edit it.
  private static func pretty(_ value: JSONValue, _ indent: String) -> String {
    let inner = indent + "  "
    switch value {
    case .object(let object) where !object.isEmpty:
      let members = object.members.map { member in
        inner + String(decoding: JSONValue.string(member.key).canonical(), as: UTF8.self) + ": " + pretty(member.value, inner)
      }
      return "{\n" + members.joined(separator: ",\n") + "\n\(indent)}"
    case .array(let values) where values.contains(where: { $0.object != nil || $0.array != nil }):
      return "[\n" + values.map { inner + pretty($0, inner) }.joined(separator: ",\n") + "\n\(indent)]"
    default: return literal(value)
    }
  }
}

extension String {
  /// This text with the characters in `range` replaced.
  fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + self[range.upperBound...]
  }
}
