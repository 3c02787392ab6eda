public import DVObject

/// A value that differs between two files or versions of one.
public struct ValueDifference: Hashable, Sendable {
  public let name: String
  /// `nil` if it was not there.
  public let old: JSONValue?
  /// `nil` if it is not there any more.
  public let new: JSONValue?

  /// How much larger the new number is; `nil` unless both are numbers.
  public var change: Double? {
    guard let old = old?.double, let new = new?.double else { return nil }
    return new - old
  }

  /// Returns what differs between two values, name by name: first in the order of the new, then what is gone.
  ///
  /// - Parameter all: whether to return equal values too.
  public static func between(_ old: JSONValue?, _ new: JSONValue?, all: Bool = false) -> [ValueDifference] {
    let (before, after) = (old?.flattened() ?? [], new?.flattened() ?? [])
    let known = Dictionary(before.map { ($0.name, $0.value) }) { first, _ in first }
    var found: [ValueDifference] = []
    for (name, value) in after {
      let old = known[name]
      if all || old?.canonical() != value.canonical() { found.append(ValueDifference(name: name, old: old, new: value)) }
    }
    let names = Set(after.map(\.name))
    for (name, value) in before where !names.contains(name) {
      found.append(ValueDifference(name: name, old: value, new: nil))
    }
    return found
  }
}
