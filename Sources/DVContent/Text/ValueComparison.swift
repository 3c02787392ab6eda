public import DVObject

/// Compares two values of JSON, YAML or tables: numbers by their value, members in whatever order.
public struct ValueComparison {
  private let tolerances: Tolerances
  private let path: String

  public init(_ tolerances: Tolerances, in path: String) {
    self.tolerances = tolerances
    self.path = path
  }

  /// Compares them.
  ///
  /// - Returns: `equivalent` if they are the same value, with no word about why.
  public func compare(_ old: JSONValue, _ new: JSONValue) -> ContentDifference {
    var found = ContentDifference(.equivalent, "the same values")
    visit(old, new, "", &found)
    return found
  }

  private func visit(_ old: JSONValue?, _ new: JSONValue?, _ name: String, _ found: inout ContentDifference) {
    switch (old, new) {
    case (.object(let before)?, .object(let after)?):
      for member in before.members { visit(member.value, after[member.key], joined(name, member.key), &found) }
      for member in after.members where before[member.key] == nil { visit(nil, member.value, joined(name, member.key), &found) }
    case (.array(let before)?, .array(let after)?):
      guard before.count == after.count else {
        return found.add(ContentDifference(.different, "\(title(name)): \(after.count) elements, was \(before.count)"))
      }
      for (index, pair) in zip(before, after).enumerated() { visit(pair.0, pair.1, "\(name)[\(index)]", &found) }
    case (let old?, let new?):
      if old.canonical() == new.canonical() { return }
      if let before = old.double, let after = new.double, before.isFinite, after.isFinite {
        // A rule may name the list that a number is in.
        let plain = name.split(separator: "[").first.map(String.init) ?? name
        let allowed = tolerances.allowed(name, in: path) ?? tolerances.allowed(plain, in: path)
        return found.add(NumberDifference.judge(before, after, allowed: allowed, title(name)))
      }
      found.add(ContentDifference(.different, "\(title(name)): \(Self.text(new)), was \(Self.text(old))"))
    case (_?, nil): found.add(ContentDifference(.different, "\(title(name)) is gone"))
    case (nil, _?): found.add(ContentDifference(.different, "\(title(name)) is new"))
    case (nil, nil): break
    }
  }

  private func joined(_ name: String, _ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

  private func title(_ name: String) -> String { name.isEmpty ? "the value" : "'\(name)'" }

  private static func text(_ value: JSONValue) -> String {
    let text = String(decoding: value.canonical(), as: UTF8.self)
    return text.count > 60 ? text.prefix(60) + "…" : text
  }
}

/// What becomes of two numbers that are not the same.
enum NumberDifference {
  /// The difference divided by the larger magnitude, 0 to 2.
  static func relative(_ old: Double, _ new: Double) -> Double {
    if old == new || (old.isNaN && new.isNaN) { return 0 }
    guard old.isFinite, new.isFinite else { return .infinity }
    return (old - new).magnitude / max(old.magnitude, new.magnitude)
  }

  static func judge(_ old: Double, _ new: Double, allowed: Double?, _ title: String) -> ContentDifference {
    let distance = relative(old, new)
    let reason = "\(title): \(new), was \(old)"
    if let allowed, distance <= allowed { return ContentDifference(.withinTolerance, reason, largest: distance) }
    return ContentDifference(.different, reason, largest: distance)
  }
}
