import DVObject

/// How values stand in a command: as Python prints them, and mappings as options.
struct CommandLineText {
  /// How options of a mapping are written, as DVC's `parsing` settings have it.
  struct Style: Hashable, Sendable {
    /// Whether false is `--no-name` rather than left out.
    var writesFalse = false
    /// Whether a list is `--name a --name b` rather than `--name a b`.
    var repeatsName = false
  }

  let style: Style

  /// Returns the text of a plain value.
  static func plain(_ value: JSONValue) -> String {
    switch value {
    case .null: "None"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): value.isNaN ? "nan" : value.isInfinite ? (value < 0 ? "-inf" : "inf") : value.description
    case .string(let text): text
    case .array, .object: String(decoding: value.canonical(), as: UTF8.self)
    }
  }

  /// Returns the options that a mapping stands for: `{lr: 0.1, deep: true, layers: [1, 2]}` is
  /// `--lr 0.1 --deep --layers 1 2`.
  ///
  /// - Returns: `nil` if it has a list of lists or mappings.
  func options(_ object: JSONObject) -> String? {
    var words: [String] = []
    guard append(object, prefix: "", to: &words) else { return nil }
    return words.joined(separator: " ")
  }

  private func append(_ object: JSONObject, prefix: String, to words: inout [String]) -> Bool {
    for member in object.members {
      let name = prefix + member.key
      switch member.value {
      case .object(let inner):
        guard append(inner, prefix: name + ".", to: &words) else { return false }
      case .bool(let value):
        if value { words.append("--\(name)") } else if style.writesFalse { words.append("--no-\(name)") }
      case .array(let elements):
        for (index, element) in elements.enumerated() {
          guard element.array == nil, element.object == nil else { return false }
          if style.repeatsName || index == 0 { words.append("--\(name)") }
          words.append(Self.word(element))
        }
      default: words += ["--\(name)", Self.word(member.value)]
      }
    }
    return true
  }

  private static func word(_ value: JSONValue) -> String {
    if case .string(let text) = value { ShellWord.quoted(text) } else { plain(value) }
  }
}
