public import DVObject

/// A condition on experiments: `metrics.auc > 0.9 and (params.lr < 0.1 or not params.model == "tree")`.
///
///     condition   one or more of: alternative, joined by `or`
///     alternative one or more of: term, joined by `and`
///     term        `not` term | `(` condition `)` | name operator value | name
///     operator    < <= > >= == = !=
///     value       a number, `true`, `false`, `null`, text in quotes or a word
///
/// A name alone asks whether there is such a value. What is compared with a value that an experiment lacks is false.
public struct ExperimentFilter: Sendable {
  indirect enum Node: Hashable, Sendable {
    case and(Node, Node)
    case or(Node, Node)
    case not(Node)
    case exists(String)
    case compare(String, Operator, JSONValue)
  }

  enum Operator: String, Hashable, Sendable, CaseIterable {
    case lessOrEqual = "<="
    case moreOrEqual = ">="
    case notEqual = "!="
    case equal = "=="
    case less = "<"
    case more = ">"
    case same = "="
  }

  let root: Node

  /// Reads a condition.
  ///
  /// - Throws: ``RecordError/Code/malformed`` that says where it makes no sense.
  public init(_ text: String) throws(RecordError) {
    var parser = try FilterParser(text)
    root = try parser.whole()
  }

  /// Whether an experiment fits.
  ///
  /// - Parameter value: returns the value of a name.
  public func fits(_ value: (String) -> JSONValue?) -> Bool { Self.fits(root, value) }

  private static func fits(_ node: Node, _ value: (String) -> JSONValue?) -> Bool {
    switch node {
    case .and(let left, let right): fits(left, value) && fits(right, value)
    case .or(let left, let right): fits(left, value) || fits(right, value)
    case .not(let inner): !fits(inner, value)
    case .exists(let name): value(name).map { $0 != .null } ?? false
    case .compare(let name, let operation, let other): value(name).map { compare($0, operation, other) } ?? false
    }
  }

  private static func compare(_ value: JSONValue, _ operation: Operator, _ other: JSONValue) -> Bool {
    let order: Int
    if let left = value.double, let right = other.double {
      guard !left.isNaN, !right.isNaN else { return operation == .notEqual }
      order = left < right ? -1 : left > right ? 1 : 0
    } else {
      let (left, right) = (text(value), text(other))
      order = left < right ? -1 : left > right ? 1 : 0
    }
    return switch operation {
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .more: order > 0
    case .moreOrEqual: order >= 0
    case .equal, .same: order == 0
    case .notEqual: order != 0
    }
  }

  private static func text(_ value: JSONValue) -> String {
    value.string ?? String(decoding: value.canonical(), as: UTF8.self)
  }
}

/// Reads a condition.
private struct FilterParser {
  private enum Token: Hashable {
    case word(String)
    case quoted(String)
    case operation(ExperimentFilter.Operator)
    case open
    case close
  }

  private var tokens: [Token] = []
  private var position = 0
  private var depth = 0
  private let text: String

  init(_ text: String) throws(RecordError) {
    self.text = text
    var rest = text[...]
    guard text.utf8.count <= 16 << 10 else { throw RecordError(.tooLarge, "The condition is too long.") }
    scan: while let first = rest.first {
      if first.isWhitespace {
        rest.removeFirst()
        continue
      }
      for operation in ExperimentFilter.Operator.allCases where rest.hasPrefix(operation.rawValue) {
        tokens.append(.operation(operation))
        rest = rest.dropFirst(operation.rawValue.count)
        continue scan
      }
      switch first {
      case "(", ")":
        tokens.append(first == "(" ? .open : .close)
        rest.removeFirst()
      case "\"", "'":
        guard let end = rest.dropFirst().firstIndex(of: first) else {
          throw RecordError(.malformed, "The condition '\(text)' has a quote that does not end.")
        }
        tokens.append(.quoted(String(rest[rest.index(after: rest.startIndex)..<end])))
        rest = rest[rest.index(after: end)...]
      default:
        let word = rest.prefix { !$0.isWhitespace && !"()<>=!\"'".contains($0) }
        guard !word.isEmpty else { throw RecordError(.malformed, "The condition '\(text)' makes no sense at '\(rest.prefix(10))'.") }
        tokens.append(.word(String(word)))
        rest = rest.dropFirst(word.count)
      }
    }
  }

  mutating func whole() throws(RecordError) -> ExperimentFilter.Node {
    let node = try condition()
    guard position == tokens.count else { throw failure("more follows where it should end") }
    return node
  }

  private func failure(_ what: String) -> RecordError {
    RecordError(.malformed, "The condition '\(text)' makes no sense: \(what). Write it like \"metrics.auc > 0.9 and params.lr < 0.1\".")
  }

  private mutating func take(_ word: String) -> Bool {
    guard position < tokens.count, case .word(let next) = tokens[position], next.lowercased() == word else { return false }
    position += 1
    return true
  }

  private mutating func condition() throws(RecordError) -> ExperimentFilter.Node {
    var node = try alternative()
    while take("or") { node = .or(node, try alternative()) }
    return node
  }

  private mutating func alternative() throws(RecordError) -> ExperimentFilter.Node {
    var node = try term()
    while take("and") { node = .and(node, try term()) }
    return node
  }

  private mutating func term() throws(RecordError) -> ExperimentFilter.Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 100 else { throw failure("it is nested too deep") }
    if take("not") { return .not(try term()) }
    guard position < tokens.count else { throw failure("it ends where a name is expected") }
    let token = tokens[position]
    position += 1
    switch token {
    case .open:
      let node = try condition()
      guard position < tokens.count, tokens[position] == .close else { throw failure("a parenthesis does not close") }
      position += 1
      return node
    case .word(let name), .quoted(let name):
      guard position < tokens.count, case .operation(let operation) = tokens[position] else { return .exists(name) }
      position += 1
      guard position < tokens.count else { throw failure("a value is missing at its end") }
      defer { position += 1 }
      switch tokens[position] {
      case .quoted(let text): return .compare(name, operation, .string(text))
      case .word(let word): return .compare(name, operation, Self.value(word))
      default: throw failure("a value is expected after '\(name) \(operation.rawValue)'")
      }
    default: throw failure("a name is expected")
    }
  }

  private static func value(_ word: String) -> JSONValue {
    switch word {
    case "true", "True": return true
    case "false", "False": return false
    case "null", "None": return .null
    default: break
    }
    if let whole = Int64(word) { return .integer(whole) }
    if let number = Double(word) { return .number(number) }
    return .string(word)
  }
}
