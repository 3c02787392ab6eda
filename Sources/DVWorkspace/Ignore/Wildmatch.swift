/// One gitignore glob, ready to be matched against names and paths.
///
/// It follows git's `wildmatch.c` step by step, with its early exits, so that what git calls a match is one here and a
/// pattern of many asterisks costs no exponential time. Both sides are bytes: a name need not be valid UTF-8.
struct Wildmatch: Hashable, Sendable {
  /// The glob's bytes, without a zero byte among them.
  let pattern: [UInt8]

  /// How a part of the match ended.
  private enum Outcome {
    case match
    case noMatch
    /// No later start in the text can help: give up altogether.
    case abortAll
    /// Only a `**` further left can still help.
    case abortToStarStar
  }

  /// Returns whether the glob matches all of `text`.
  ///
  /// - Parameter isPath: Whether `*`, `?` and classes stop at `/`.
  func matches(_ text: Span<UInt8>, isPath: Bool) -> Bool {
    match(from: 0, text, at: 0, isPath: isPath) == .match
  }

  /// Returns the pattern's byte at `index`, or 0 at its end, as C code reads a string.
  private func byte(_ index: Int) -> UInt8 { index < pattern.count ? pattern[index] : 0 }

  private func match(from start: Int, _ text: Span<UInt8>, at textStart: Int, isPath: Bool) -> Outcome {
    var p = start
    var t = textStart
    while p < pattern.count {
      let symbol = pattern[p]
      if t >= text.count && symbol != .star { return .abortAll }
      switch symbol {
      case .star:
        switch star(at: &p, from: start, text, at: &t, isPath: isPath) {
        case .some(let outcome): return outcome
        case .none: break
        }
      case .bracket:
        switch isInClass(text[t], at: &p) {
        case .none: return .abortAll
        case .some(let isMember): if !isMember || (isPath && text[t] == .slash) { return .noMatch }
        }
      case .question:
        if isPath && text[t] == .slash { return .noMatch }
      case .backslash:
        p += 1
        if byte(p) != text[t] { return .noMatch }
      default:
        if symbol != text[t] { return .noMatch }
      }
      p += 1
      t += 1
    }
    return t >= text.count ? .match : .noMatch
  }

  /// Handles the asterisks at `p`.
  ///
  /// - Returns: How the match ended, or `nil` when `*/` led to a slash in the text, which both sides stand at then.
  private func star(at p: inout Int, from start: Int, _ text: Span<UInt8>, at t: inout Int, isPath: Bool) -> Outcome? {
    var crossesSlash = !isPath
    let before = p - 1
    p += 1
    if byte(p) == .star {
      while byte(p) == .star { p += 1 }
      let opens = before < start || pattern[before] == .slash
      let closes = p >= pattern.count || byte(p) == .slash || (byte(p) == .backslash && byte(p + 1) == .slash)
      if isPath && opens && closes {
        // `a/**/b` also matches `a/b`: first try that the asterisks and their slash stand for nothing.
        if byte(p) == .slash, match(from: p + 1, text, at: t, isPath: isPath) == .match { return .match }
        crossesSlash = true
      }
    }
    if p >= pattern.count {
      if crossesSlash { return .match }
      return Self.slash(in: text, from: t) == nil ? .match : .abortToStarStar
    }
    if !crossesSlash && byte(p) == .slash {
      guard let slash = Self.slash(in: text, from: t) else { return .abortAll }
      t = slash
      return nil
    }
    while t < text.count {
      if !Self.isSpecial(byte(p)) {
        // A literal follows: jump to where it next occurs.
        while t < text.count, crossesSlash || text[t] != .slash, text[t] != byte(p) { t += 1 }
        if t >= text.count || text[t] != byte(p) { return crossesSlash ? .abortAll : .abortToStarStar }
      }
      let outcome = match(from: p, text, at: t, isPath: isPath)
      if outcome != .noMatch {
        if !crossesSlash || outcome != .abortToStarStar { return outcome }
      } else if !crossesSlash && text[t] == .slash {
        return .abortToStarStar
      }
      t += 1
    }
    return .abortAll
  }

  /// Returns whether `byte` belongs to the class whose `[` is at `p`, and moves `p` to its `]`.
  ///
  /// - Returns: `nil` if the class is malformed, which matches nothing.
  private func isInClass(_ candidate: UInt8, at p: inout Int) -> Bool? {
    p += 1
    var symbol = byte(p)
    let isNegated = symbol == UInt8(ascii: "!") || symbol == UInt8(ascii: "^")
    if isNegated {
      p += 1
      symbol = byte(p)
    }
    var previous: UInt8 = 0
    var isMember = false
    repeat {
      if symbol == 0 { return nil }
      if symbol == .backslash {
        p += 1
        symbol = byte(p)
        if symbol == 0 { return nil }
        if candidate == symbol { isMember = true }
      } else if symbol == UInt8(ascii: "-"), previous != 0, byte(p + 1) != 0, byte(p + 1) != .closingBracket {
        p += 1
        symbol = byte(p)
        if symbol == .backslash {
          p += 1
          symbol = byte(p)
          if symbol == 0 { return nil }
        }
        if previous <= candidate && candidate <= symbol { isMember = true }
        symbol = 0
      } else if symbol == .bracket, byte(p + 1) == UInt8(ascii: ":") {
        let nameStart = p + 2
        var end = nameStart
        while byte(end) != 0 && byte(end) != .closingBracket { end += 1 }
        if byte(end) == 0 { return nil }
        if end - nameStart - 1 < 0 || byte(end - 1) != UInt8(ascii: ":") {
          // No `:]` follows: it is a plain `[` in a plain class.
          if candidate == .bracket { isMember = true }
        } else {
          guard let hit = CharacterClass(name: pattern[nameStart..<(end - 1)])?.contains(candidate) else { return nil }
          if hit { isMember = true }
          p = end
          symbol = 0
        }
      } else if candidate == symbol {
        isMember = true
      }
      previous = symbol
      p += 1
      symbol = byte(p)
    } while symbol != .closingBracket
    return isMember != isNegated
  }

  private static func slash(in text: Span<UInt8>, from start: Int) -> Int? {
    var index = start
    while index < text.count {
      if text[index] == .slash { return index }
      index += 1
    }
    return nil
  }

  /// Returns whether `byte` means something other than itself in a glob.
  static func isSpecial(_ byte: UInt8) -> Bool {
    byte == .star || byte == .question || byte == .bracket || byte == .backslash
  }
}

/// A named class such as `[:alpha:]`, in the C locale.
private enum CharacterClass: String {
  case alnum, alpha, blank, cntrl, digit, graph, lower, print, punct, space, upper, xdigit

  init?(name: ArraySlice<UInt8>) { self.init(rawValue: String(decoding: name, as: UTF8.self)) }

  func contains(_ byte: UInt8) -> Bool {
    switch self {
    case .alnum: Self.alpha.contains(byte) || Self.digit.contains(byte)
    case .alpha: Self.lower.contains(byte) || Self.upper.contains(byte)
    case .blank: byte == 0x20 || byte == 0x09
    case .cntrl: byte < 0x20 || byte == 0x7f
    case .digit: (0x30...0x39).contains(byte)
    case .graph: (0x21...0x7e).contains(byte)
    case .lower: (0x61...0x7a).contains(byte)
    case .print: (0x20...0x7e).contains(byte)
    case .punct: Self.graph.contains(byte) && !Self.alnum.contains(byte)
    case .space: byte == 0x20 || (0x09...0x0d).contains(byte)
    case .upper: (0x41...0x5a).contains(byte)
    case .xdigit: Self.digit.contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
  }
}

extension UInt8 {
  static let slash = UInt8(ascii: "/")
  fileprivate static let star = UInt8(ascii: "*")
  fileprivate static let question = UInt8(ascii: "?")
  fileprivate static let bracket = UInt8(ascii: "[")
  fileprivate static let closingBracket = UInt8(ascii: "]")
  fileprivate static let backslash = UInt8(ascii: "\\")
}
