public import DVObject

/// The name of a value inside another: `train.lr`, `layers[0].units` or, as DVC has it too, `layers.0.units`.
public struct ValuePath: Hashable, Sendable, CustomStringConvertible {
  /// The keys and positions from the outside in.
  public let steps: [String]
  private let text: String

  /// Reads a name.
  ///
  /// - Returns: `nil` for one with an empty part or a bracket that does not match.
  public init?(_ text: String) {
    var steps: [String] = []
    for part in text.split(separator: ".", omittingEmptySubsequences: false) {
      var rest = part
      guard let end = rest.firstIndex(of: "[") else {
        guard !rest.isEmpty, !rest.contains("]") else { return nil }
        steps.append(String(rest))
        continue
      }
      if end > rest.startIndex { steps.append(String(rest[..<end])) } else if steps.isEmpty { return nil }
      rest = rest[end...]
      while rest.first == "[" {
        guard let close = rest.firstIndex(of: "]") else { return nil }
        let index = rest[rest.index(after: rest.startIndex)..<close]
        guard !index.isEmpty, !index.contains("[") else { return nil }
        steps.append(String(index))
        rest = rest[rest.index(after: close)...]
      }
      guard rest.isEmpty else { return nil }
    }
    self.steps = steps
    self.text = text
  }

  public var description: String { text }
}

extension JSONValue {
  /// Returns the value that `path` names in this one, or `nil` if there is none.
  public func value(at path: ValuePath) -> JSONValue? {
    var value = self
    for step in path.steps {
      switch value {
      case .object(let object):
        guard let member = object[step] else { return nil }
        value = member
      case .array(let elements):
        guard let index = Int(step), elements.indices.contains(index) else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }

  /// Returns this value with the one at `path` replaced, and mappings made on the way where there are none.
  ///
  /// - Returns: `nil` if the way leads through something that is no mapping, or to a place that a list does not have.
  public func setting(_ new: JSONValue, at path: ValuePath) -> JSONValue? { setting(new, path.steps[...]) }

  private func setting(_ new: JSONValue, _ steps: ArraySlice<String>) -> JSONValue? {
    guard let step = steps.first else { return new }
    switch self {
    case .object(var object):
      guard let inner = (object[step] ?? .object(JSONObject())).setting(new, steps.dropFirst()) else { return nil }
      object[step] = inner
      return .object(object)
    case .array(var elements):
      guard let index = Int(step), elements.indices.contains(index),
        let inner = elements[index].setting(new, steps.dropFirst())
      else { return nil }
      elements[index] = inner
      return .array(elements)
    case .null: return JSONValue.object(JSONObject()).setting(new, steps)
    default: return nil
    }
  }

  /// All values inside that are neither mappings nor lists of such, with their names, in the order in which they stand.
  ///
  /// A list of plain values is one value; other lists are taken apart, and empty ones stand for themselves.
  public func flattened() -> [(name: String, value: JSONValue)] {
    var found: [(String, JSONValue)] = []
    flatten("", into: &found)
    return found
  }

  private func flatten(_ name: String, into found: inout [(String, JSONValue)]) {
    switch self {
    case .object(let object) where !object.isEmpty:
      for member in object.members { member.value.flatten(name.isEmpty ? member.key : "\(name).\(member.key)", into: &found) }
    case .array(let elements) where elements.contains(where: { $0.object != nil || $0.array != nil }):
      for (index, element) in elements.enumerated() { element.flatten("\(name)[\(index)]", into: &found) }
    default:
      if !name.isEmpty { found.append((name, self)) }
    }
  }
}
