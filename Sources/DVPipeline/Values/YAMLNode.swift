package import DVObject

/// A value of a YAML file and where it stands, for messages.
package struct YAMLNode: Sendable {
  package struct Member: Sendable {
    package let key: String
    package let keyLine: Int
    package var value: YAMLNode
  }

  package indirect enum Content: Sendable {
    case scalar(JSONValue)
    case sequence([YAMLNode])
    case mapping([Member])
  }

  package var content: Content
  /// From 1 on.
  package let line: Int

  /// The value without its lines.
  package var value: JSONValue {
    switch content {
    case .scalar(let value): value
    case .sequence(let nodes): .array(nodes.map(\.value))
    case .mapping(let members):
      .object(members.reduce(into: JSONObject()) { object, member in object[member.key] = member.value.value })
    }
  }

  subscript(key: String) -> YAMLNode? {
    if case .mapping(let members) = content { members.first { $0.key == key }?.value } else { nil }
  }

  /// Makes a node of a value that stands nowhere, such as one that a template named.
  init(_ value: JSONValue, line: Int) {
    self.line = line
    content =
      switch value {
      case .array(let values): .sequence(values.map { YAMLNode($0, line: line) })
      case .object(let object):
        .mapping(object.members.map { Member(key: $0.key, keyLine: line, value: YAMLNode($0.value, line: line)) })
      default: .scalar(value)
      }
  }

  init(content: Content, line: Int) {
    self.content = content
    self.line = line
  }
}
