/// One line of a `.dvignore`, which has the syntax and meaning of a line of a `.gitignore`.
struct IgnorePattern: Hashable, Sendable {
  /// The line as it was written.
  let line: [UInt8]
  /// The line begins with `!`: what it matches is kept after all.
  let isNegated: Bool
  /// The line ends in `/`: it matches directories only.
  let directoriesOnly: Bool
  /// The line has no other slash: it is matched against the last name of a path, at any depth.
  let matchesName: Bool
  /// The leading bytes that stand for themselves.
  private let literal: [UInt8]
  /// The glob after ``literal``, or `nil` if the whole line is literal.
  private let glob: Wildmatch?
  /// The bytes after a lone leading asterisk, as in `*.jpg`: by far the most common glob, and cheap to match.
  private let suffix: [UInt8]?

  /// Reads one line without its line feed.
  ///
  /// - Returns: `nil` if the line is a comment or empty.
  init?(line: ArraySlice<UInt8>) {
    self.line = Array(line)
    guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
    var text = line
    if text.last == UInt8(ascii: "\r") { text.removeLast() }
    if let zero = text.firstIndex(of: 0) { text = text[..<zero] }
    text = Self.trimmingSpaces(text)
    isNegated = text.first == UInt8(ascii: "!")
    if isNegated { text.removeFirst() }
    directoriesOnly = text.last == .slash
    if directoriesOnly { text.removeLast() }
    matchesName = !text.contains(.slash)
    if text.first == .slash { text.removeFirst() }
    let wild = text.firstIndex(where: Wildmatch.isSpecial)
    literal = Array(text[..<(wild ?? text.endIndex)])
    glob = wild.map { Wildmatch(pattern: Array(text[$0...])) }
    let rest = text.dropFirst()
    suffix = text.first == UInt8(ascii: "*") && !rest.contains(where: Wildmatch.isSpecial) ? Array(rest) : nil
    if text.isEmpty { return nil }
  }

  /// Returns whether the line matches a path relative to the directory of its file.
  ///
  /// - Parameter nameStart: Where the last name of `path` begins.
  func matches(_ path: Span<UInt8>, nameStart: Int, isDirectory: Bool) -> Bool {
    if directoriesOnly && !isDirectory { return false }
    let text = matchesName ? path.extracting(nameStart...) : path
    if matchesName, let suffix {
      return text.count >= suffix.count && text.extracting(last: suffix.count).isEqual(to: suffix)
    }
    guard text.count >= literal.count, text.extracting(first: literal.count).isEqual(to: literal) else { return false }
    guard let glob else { return text.count == literal.count }
    return glob.matches(text.extracting(literal.count...), isPath: !matchesName)
  }

  /// Drops the spaces at the end, except one that a backslash protects.
  private static func trimmingSpaces(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var firstSpace: Int?
    var index = text.startIndex
    while index < text.endIndex {
      switch text[index] {
      case UInt8(ascii: " "):
        if firstSpace == nil { firstSpace = index }
      case UInt8(ascii: "\\"):
        index += 1
        if index == text.endIndex { return text }
        firstSpace = nil
      default:
        firstSpace = nil
      }
      index += 1
    }
    return text[..<(firstSpace ?? text.endIndex)]
  }
}

extension Span<UInt8> {
  /// Returns whether these bytes are `other`'s.
  func isEqual(to other: [UInt8]) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where self[index] != other[index] { return false }
    return true
  }
}
