import DVObject

/// Puts values into the `${…}` of a part of `dv.yaml`.
struct TemplateResolution {
  /// What may stand in place of a name.
  enum Kinds {
    /// Text, numbers, true, false, nothing.
    case plain
    /// These and, as options, mappings: in a command.
    case command
    /// Anything, if the name is all of the text: what stages are made for.
    case any
  }

  let context: TemplateContext
  let file: String
  let style: CommandLineText.Style

  /// Returns `node` with values in place of names, in keys too.
  func resolve(_ node: YAMLNode, _ kinds: Kinds = .plain) throws(PipelineError) -> YAMLNode {
    switch node.content {
    case .scalar(.string(let text)):
      let template = TemplateText(text)
      if let name = template.onlyName {
        let value = try context.value(of: name, at: place(node))
        if kinds == .any || (value.array == nil && value.object == nil) { return YAMLNode(value, line: node.line) }
      }
      return YAMLNode(content: .scalar(.string(try fill(template, kinds, place(node)))), line: node.line)
    case .scalar: return node
    case .sequence(let nodes):
      var resolved: [YAMLNode] = []
      for node in nodes { resolved.append(try resolve(node, kinds)) }
      return YAMLNode(content: .sequence(resolved), line: node.line)
    case .mapping(let members):
      var resolved: [YAMLNode.Member] = []
      for member in members {
        let place = SourcePlace(file: file, line: member.keyLine)
        let key = try fill(TemplateText(member.key), .plain, place)
        guard !resolved.contains(where: { $0.key == key }) else {
          throw PipelineError(.template, "\(place): '\(member.key)' becomes '\(key)', which stands there already.")
        }
        resolved.append(YAMLNode.Member(key: key, keyLine: member.keyLine, value: try resolve(member.value, kinds)))
      }
      return YAMLNode(content: .mapping(resolved), line: node.line)
    }
  }

  private func place(_ node: YAMLNode) -> SourcePlace { SourcePlace(file: file, line: node.line) }

  private func fill(_ template: TemplateText, _ kinds: Kinds, _ place: SourcePlace) throws(PipelineError) -> String {
    var text = ""
    for part in template.parts {
      switch part {
      case .text(let plain): text += plain
      case .name(let name):
        let value = try context.value(of: name, at: place)
        switch value {
        case .object(let object) where kinds == .command:
          guard let options = CommandLineText(style: style).options(object) else {
            throw PipelineError(.template, "\(place): '${\(name)}' has a list of lists or mappings, which are no options.")
          }
          text += options
        case .object, .array:
          throw PipelineError(
            .template, "\(place): '${\(name)}' is \(value.kindText), which cannot stand here.",
            remedy: "Name one of the values in it.")
        default: text += CommandLineText.plain(value)
        }
      }
    }
    return text
  }
}
