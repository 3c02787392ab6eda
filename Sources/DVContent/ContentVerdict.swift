import Synchronization

/// How alike two contents are, the best first.
public enum ContentVerdict: Int, Comparable, Sendable, CaseIterable {
  /// Bit for bit.
  case identical
  /// The same content in another encoding: the order of keys, timestamps in an archive, padding.
  case equivalent
  /// Numbers that differ by no more than was said to be fine.
  case withinTolerance
  case different

  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What a comparison found.
public struct ContentDifference: Sendable, Equatable {
  public var verdict: ContentVerdict
  /// The first thing that differs, or what makes both the same: `tensor 'fc.weight' [0]: 0.25, was 0.5`. `nil` for
  /// identical contents.
  public var reason: String?
  /// The largest relative difference between two numbers that were compared, if any was found.
  public var largest: Double?

  public init(_ verdict: ContentVerdict, _ reason: String? = nil, largest: Double? = nil) {
    self.verdict = verdict
    self.reason = reason
    self.largest = largest
  }

  /// Takes in what was found in another part: the worse verdict counts, and the first reason for it.
  mutating func add(_ other: ContentDifference) {
    if let number = other.largest { largest = max(largest ?? 0, number) }
    guard other.verdict > verdict else { return }
    verdict = other.verdict
    reason = other.reason
  }
}

/// Which patterns of tolerances fitted a name that was compared: one that fitted none may be misspelt.
public final class ToleranceUse: Sendable {
  private let patterns = Mutex<Set<String>>([])

  public init() {}

  func note(_ pattern: String) { patterns.withLock { _ = $0.insert(pattern) } }

  public func contains(_ pattern: String) -> Bool { patterns.withLock { $0.contains(pattern) } }
}

/// How far numbers may be apart, by name.
public struct Tolerances: Sendable {
  /// One rule.
  public struct Rule: Sendable, Equatable {
    /// Of a value, a tensor or a file; `*` stands for any characters.
    public let pattern: String
    /// The most that two numbers may differ, divided by the larger one's magnitude.
    public let relative: Double

    public init(_ pattern: String, relative: Double) {
      self.pattern = pattern
      self.relative = relative
    }
  }

  /// The first that fits counts.
  public var rules: [Rule]
  /// Where it is noted which of them fitted.
  public let use: ToleranceUse

  public init(_ rules: [Rule] = [], notedIn use: ToleranceUse = ToleranceUse()) { (self.rules, self.use) = (rules, use) }

  public var isEmpty: Bool { rules.isEmpty }

  /// Returns how far numbers of the value `name` in the file `path` may be apart; `nil` if they must be equal.
  ///
  /// A rule names the value, `path:value` or the file.
  func allowed(_ name: String, in path: String) -> Double? {
    let rule = rules.first { rule in
      [name, "\(path):\(name)", path].contains { Self.fits(rule.pattern[...], $0[...]) }
    }
    if let rule { use.note(rule.pattern) }
    return rule?.relative
  }

  /// Whether a pattern with `*` fits a text, going back to the last `*` where it does not: no pattern takes long.
  private static func fits(_ pattern: Substring, _ text: Substring) -> Bool {
    let (pattern, text) = (Array(pattern.utf8), Array(text.utf8))
    var (place, position) = (0, 0)
    var last: (place: Int, position: Int)?
    while position < text.count {
      if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
        last = (place, position)
        place += 1
      } else if place < pattern.count, pattern[place] == text[position] {
        place += 1
        position += 1
      } else if let (star, start) = last {
        last = (star, start + 1)
        (place, position) = (star + 1, start + 1)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
