import DVObject

/// A text with `${…}` in it, cut into its parts. `\${` is a plain `${`.
struct TemplateText {
  enum Part: Hashable {
    case text(String)
    /// What stands between the braces.
    case name(String)
  }

  let parts: [Part]

  /// Whether anything is to be put in.
  var hasNames: Bool { parts.contains { if case .name = $0 { true } else { false } } }

  /// The name, if the text is nothing but one.
  var onlyName: String? {
    guard parts.count == 1, case .name(let name) = parts[0] else { return nil }
    return name
  }

  init(_ text: String) {
    var parts: [Part] = []
    var plain = ""
    var rest = Substring(text)
    while let dollar = rest.firstRange(of: "${") {
      let before = rest[..<dollar.lowerBound]
      if before.hasSuffix("\\") {
        plain += before.dropLast() + "${"
        rest = rest[dollar.upperBound...]
      } else if let end = rest[dollar.upperBound...].firstIndex(of: "}") {
        plain += before
        if !plain.isEmpty { parts.append(.text(plain)) }
        plain = ""
        parts.append(.name(String(rest[dollar.upperBound..<end])))
        rest = rest[rest.index(after: end)...]
      } else {
        break
      }
    }
    plain += rest
    if !plain.isEmpty || parts.isEmpty { parts.append(.text(plain)) }
    self.parts = parts
  }
}

extension Substring {
  /// Returns where `text` begins and ends, the first time; `nil` if it is not there.
  fileprivate func firstRange(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
