import DVObject

/// Makes stages of a `dv.yaml`: finds the values that templates may name, puts them in, repeats what is to be repeated.
struct PipelineLoading {
  let path: StagePath
  let settings: ParsingSettings
  /// The most stages of a file: a matrix of a few long lists makes millions.
  static let maximumStageCount = 20_000

  private var directory: StagePath { path.parent }
  private var style: CommandLineText.Style {
    CommandLineText.Style(writesFalse: settings.writesFalse, repeatsName: settings.repeatsName)
  }

  init(path: StagePath, settings: ParsingSettings) {
    self.path = path
    self.settings = settings
  }

  private static let keys = ["vars", "stages", "params", "metrics", "plots", "artifacts", "datasets"]

  mutating func load(
    _ root: YAMLNode, into file: PipelineFile, _ read: PipelineFile.FileReading
  ) throws(PipelineError) -> PipelineFile {
    var file = file
    let section = SchemaReader(file: path.text)
    let members = try section.members(of: root, "the file", allowing: Self.keys)
    let context = try globalContext(root["vars"], read)
    let resolution = resolution(context)
    for member in members {
      switch member.key {
      case "stages":
        for stage in try section.members(of: member.value, "'stages'") {
          let stages = try self.stages(stage, context, read)
          file.stages += stages
          guard file.stages.count <= Self.maximumStageCount else {
            throw PipelineError(.limit, "'\(path)' makes more than \(Self.maximumStageCount) stages.")
          }
        }
      case "metrics": file.metrics = try paths(try resolution.resolve(member.value), section)
      case "params": file.parameters = try paths(try resolution.resolve(member.value), section)
      case "plots": file.plots = try plots(try resolution.resolve(member.value), section)
      case "artifacts":
        for artifact in try section.members(of: try resolution.resolve(member.value), "'artifacts'") {
          _ = try section.members(of: artifact.value, "'\(artifact.key)'", allowing: ["path", "type", "desc", "labels", "meta"])
          guard artifact.value["path"] != nil else { throw section.failure("the artifact '\(artifact.key)' has no 'path'", artifact.keyLine) }
          file.artifacts[artifact.key] = artifact.value.value
        }
      case "datasets": file.warnings.append("'\(path)': 'datasets' is read and not acted on; track data with 'dv add'.")
      default: break
      }
    }
    try requireOneName(file.stages)
    for output in file.stages.flatMap(\.outputs) where output.annotations["remote"] != nil {
      file.warnings.append("'\(path)': 'remote' of '\(output.path)' is not acted on; 'dv push -r' says where data goes.")
    }
    return file
  }

  private func requireOneName(_ stages: [Stage]) throws(PipelineError) {
    var lines: [String: Int] = [:]
    for stage in stages {
      if let line = lines[stage.name] {
        throw PipelineError(.schema, "'\(path)' makes the stage '\(stage.name)' twice, by lines \(line) and \(stage.line).")
      }
      lines[stage.name] = stage.line
    }
  }

  // MARK: - Values for templates

  private func globalContext(_ vars: YAMLNode?, _ read: PipelineFile.FileReading) throws(PipelineError) -> TemplateContext {
    var context = TemplateContext()
    let file = try StagePath(ParameterSelection.defaultFile, in: directory)
    if let bytes = try read(file), case .object(let object) = try ValueFile.read(bytes, named: file.text) {
      try context.add(object, of: file, names: nil, at: SourcePlace(file: path.text, line: 1))
    }
    try add(vars, to: &context, in: directory, read)
    return context
  }

  private func add(
    _ vars: YAMLNode?, to context: inout TemplateContext, in directory: StagePath, _ read: PipelineFile.FileReading
  ) throws(PipelineError) {
    guard let vars else { return }
    let section = SchemaReader(file: path.text)
    for item in try section.elements(of: vars, "'vars'") {
      let place = SourcePlace(file: path.text, line: item.line)
      switch item.content {
      case .mapping:
        guard case .object(let object) = item.value else { continue }
        try context.add(object, from: "'vars'", at: place)
      case .scalar(.string(let text)):
        guard !TemplateText(text).hasNames else {
          throw PipelineError(.template, "\(place): 'vars' cannot name values itself.")
        }
        let parts = text.split(separator: ":", maxSplits: 1)
        let file = try section.path(String(parts[0]), in: directory, item.line)
        guard let bytes = try read(file) else {
          throw PipelineError(.value, "\(place): there is no file '\(file)', which 'vars' names.")
        }
        guard case .object(let object) = try ValueFile.read(bytes, named: file.text) else {
          throw PipelineError(.value, "\(place): '\(file)' holds no mapping of names to values.")
        }
        let names = parts.count > 1 ? parts[1].split(separator: ",").map { String($0).trimmingSpaces } : nil
        try context.add(object, of: file, names: names, at: place)
      default:
        throw PipelineError(.schema, "\(place): 'vars' holds files' names and mappings, and this is \(item.value.kindText).")
      }
    }
  }

  private func resolution(_ context: TemplateContext) -> TemplateResolution {
    TemplateResolution(context: context, file: path.text, style: style)
  }

  // MARK: - Stages

  private func stages(
    _ member: YAMLNode.Member, _ context: TemplateContext, _ read: PipelineFile.FileReading
  ) throws(PipelineError) -> [Stage] {
    let section = SchemaReader(file: path.text)
    try section.requireStageName(member.key, line: member.keyLine)
    let definition = member.value
    var made: [Stage] = []
    if let repeated = definition["foreach"] {
      _ = try section.members(of: definition, "the stage '\(member.key)'", allowing: ["foreach", "do"])
      guard let template = definition["do"] else {
        throw section.failure("the stage '\(member.key)' has 'foreach' and no 'do'", definition.line)
      }
      guard template["matrix"] == nil else {
        throw section.failure(
          "the stage '\(member.key)' has a 'matrix' in its 'do'", template.line, remedy: "Use 'matrix' alone, with the list of 'foreach' as one more.")
      }
      for item in try items(of: try resolution(context).resolve(repeated, .any), member.key, section) {
        made.append(try stage("\(member.key)@\(item.name)", template, context.with(item.values), read))
      }
    } else if let matrix = definition["matrix"] {
      for item in try combinations(of: try resolution(context).resolve(matrix, .any), member.key, section) {
        made.append(try stage("\(member.key)@\(item.name)", definition, context.with(item.values), read))
        guard made.count <= Self.maximumStageCount else { break }
      }
    } else {
      made = [try stage(member.key, definition, context, read)]
    }
    return made
  }

  private typealias Item = (name: String, values: JSONObject)

  /// What `foreach` makes: of a list `item`, of a mapping `key` and `item`.
  private func items(of node: YAMLNode, _ name: String, _ section: SchemaReader) throws(PipelineError) -> [Item] {
    var items: [Item] = []
    switch node.value {
    case .array(let elements):
      let isPlain = elements.allSatisfy { $0.array == nil && $0.object == nil }
      for (index, element) in elements.enumerated() {
        var values = JSONObject()
        values["item"] = element
        items.append((isPlain ? CommandLineText.plain(element) : String(index), values))
      }
    case .object(let object):
      for member in object.members {
        var values = JSONObject()
        values["key"] = .string(member.key)
        values["item"] = member.value
        items.append((member.key, values))
      }
    case let other:
      throw section.failure("'foreach' of '\(name)' is \(other.kindText), expected a list or a mapping", node.line)
    }
    return items
  }

  /// What `matrix` makes: one for each combination, the last list changing fastest.
  private func combinations(of node: YAMLNode, _ name: String, _ section: SchemaReader) throws(PipelineError) -> [Item] {
    var items: [Item] = [("", JSONObject())]
    for member in try section.members(of: node, "'matrix' of '\(name)'") {
      guard case .array(let elements) = member.value.value else {
        throw section.failure("'\(member.key)' in 'matrix' of '\(name)' is no list", member.keyLine)
      }
      var longer: [Item] = []
      for item in items {
        for (index, element) in elements.enumerated() {
          let isPlain = element.array == nil && element.object == nil
          let fragment = isPlain ? CommandLineText.plain(element) : "\(member.key)\(index)"
          var values = item.values
          values[member.key] = element
          longer.append((item.name.isEmpty ? fragment : "\(item.name)-\(fragment)", values))
        }
        guard longer.count <= Self.maximumStageCount else {
          throw PipelineError(.limit, "'matrix' of '\(name)' makes more than \(Self.maximumStageCount) stages.")
        }
      }
      items = longer
    }
    return items.map { item in
      var values = JSONObject()
      values["key"] = .string(item.name)
      values["item"] = .object(item.values)
      return (item.name, values)
    }
  }

  private func stage(
    _ name: String, _ definition: YAMLNode, _ context: TemplateContext, _ read: PipelineFile.FileReading
  ) throws(PipelineError) -> Stage {
    let section = SchemaReader(file: path.text)
    let members = try section.members(of: definition, "the stage '\(name)'", allowing: StageReading.keys)
    var context = context
    let workingDirectory: StagePath
    if let node = definition["wdir"] {
      let text = try section.text(try resolution(context).resolve(node), "'wdir' of '\(name)'")
      workingDirectory = text == "." ? directory : try section.path(text, in: directory, node.line)
    } else {
      workingDirectory = directory
    }
    try add(definition["vars"], to: &context, in: workingDirectory, read)
    let resolution = resolution(context)
    var resolved: [YAMLNode.Member] = []
    for member in members where !["vars", "matrix", "wdir"].contains(member.key) {
      var member = member
      // What is only said to people may hold anything.
      if member.key != "meta" { member.value = try resolution.resolve(member.value, member.key == "cmd" ? .command : .plain) }
      resolved.append(member)
    }
    return try StageReading(section: section, file: path, directory: workingDirectory)
      .stage(name, resolved, line: definition.line)
  }

  // MARK: - Sections at the top

  private func paths(_ node: YAMLNode, _ section: SchemaReader) throws(PipelineError) -> [StagePath] {
    var paths: [StagePath] = []
    for element in try section.elements(of: node, "the list") {
      paths.append(try section.path(try section.text(element, "a path"), in: directory, element.line))
    }
    return paths
  }

  private func plots(
    _ node: YAMLNode, _ section: SchemaReader
  ) throws(PipelineError) -> [(name: String, properties: JSONObject)] {
    var plots: [(String, JSONObject)] = []
    var members: [YAMLNode.Member] = []
    // A list of names and mappings, or one mapping.
    if case .mapping(let all) = node.content {
      members = all
    } else {
      for element in try section.elements(of: node, "'plots'") {
        if case .mapping(let some) = element.content {
          members += some
        } else {
          let nothing = YAMLNode(content: .scalar(.null), line: element.line)
          members.append(
            YAMLNode.Member(key: try section.text(element, "a plot"), keyLine: element.line, value: nothing))
        }
      }
    }
    for member in members {
      let known = ["x", "y", "x_label", "y_label", "title", "template", "header"]
      if case .scalar(.null) = member.value.content {
        plots.append((member.key, JSONObject()))
      } else {
        _ = try section.members(of: member.value, "the plot '\(member.key)'", allowing: known)
        plots.append((member.key, member.value.value.object ?? JSONObject()))
      }
    }
    return plots
  }
}
