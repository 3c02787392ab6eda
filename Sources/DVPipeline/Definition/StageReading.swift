import DVObject

/// Reads one stage of a `dv.yaml`, in which all templates are resolved.
struct StageReading {
  let section: SchemaReader
  let file: StagePath
  /// The stage's working directory, which its paths are relative to.
  let directory: StagePath

  static let keys = [
    "cmd", "wdir", "deps", "params", "outs", "metrics", "plots", "env", "vars", "matrix", "frozen", "always_changed", "desc",
    "meta",
  ]

  func stage(_ name: String, _ members: [YAMLNode.Member], line: Int) throws(PipelineError) -> Stage {
    var stage = Stage(name: name, file: file, line: line, commands: [], workingDirectory: directory)
    for member in members {
      let node = member.value
      let what = "'\(member.key)' of '\(name)'"
      switch member.key {
      case "cmd": stage.commands = try commands(node, what)
      case "deps":
        for element in try section.elements(of: node, what) {
          let path = try section.path(try section.text(element, what), in: directory, element.line)
          guard !stage.inputs.contains(path) else { throw section.failure("\(what) names '\(path)' twice", element.line) }
          stage.inputs.append(path)
        }
      case "params": stage.parameters = try parameters(node, what)
      case "outs": stage.outputs += try outputs(node, .data, what)
      case "metrics": stage.outputs += try outputs(node, .metric, what)
      case "plots": stage.outputs += try outputs(node, .plot, what)
      case "env": stage.environment = try environment(node, what)
      case "frozen": stage.isFrozen = try section.bool(node, what)
      case "always_changed": stage.isAlwaysChanged = try section.bool(node, what)
      case "desc": stage.description = try section.text(node, what)
      case "meta": stage.meta = node.value
      default: break
      }
    }
    guard !stage.commands.isEmpty else {
      throw section.failure("the stage '\(name)' has no 'cmd'", line, remedy: "Say what it runs: 'cmd: python train.py'.")
    }
    var seen: Set<StagePath> = []
    for output in stage.outputs where !seen.insert(output.path).inserted {
      throw section.failure("the stage '\(name)' has the output '\(output.path)' twice", line)
    }
    return stage
  }

  private func commands(_ node: YAMLNode, _ what: String) throws(PipelineError) -> [String] {
    guard case .sequence(let nodes) = node.content else { return [try section.text(node, what)] }
    var commands: [String] = []
    for node in nodes { commands.append(try section.text(node, what)) }
    return commands
  }

  /// A list of names in `params.yaml`, and of mappings from a file to names, or to nothing for all of it.
  private func parameters(_ node: YAMLNode, _ what: String) throws(PipelineError) -> [ParameterSelection] {
    var selections: [ParameterSelection] = []
    func add(_ file: StagePath, _ names: [String]) {
      guard let index = selections.firstIndex(where: { $0.file == file }) else {
        return selections.append(ParameterSelection(file: file, names: names))
      }
      // All of a file is more than some of it.
      if names.isEmpty || selections[index].names.isEmpty { return selections[index].names = [] }
      selections[index].names += names.filter { !selections[index].names.contains($0) }
    }
    for element in try section.elements(of: node, what) {
      guard case .mapping(let members) = element.content else {
        let file = try section.path(ParameterSelection.defaultFile, in: directory, element.line)
        add(file, [try section.text(element, what)])
        continue
      }
      for member in members {
        let file = try section.path(member.key, in: directory, member.keyLine)
        var names: [String] = []
        for name in try section.elements(of: member.value, "'\(member.key)' in \(what)") {
          names.append(try section.text(name, what))
        }
        add(file, names)
      }
    }
    return selections
  }

  private static let outputKeys = ["cache", "persist", "push", "remote", "desc", "type", "labels", "meta"]
  private static let plotKeys = ["template", "x", "y", "x_label", "y_label", "title", "header"]

  private func outputs(_ node: YAMLNode, _ role: Output.Role, _ what: String) throws(PipelineError) -> [Output] {
    var outputs: [Output] = []
    for element in try section.elements(of: node, what) {
      guard case .mapping(let members) = element.content else {
        outputs.append(Output(try section.outputPath(try section.text(element, what), in: directory, element.line), role: role))
        continue
      }
      for member in members {
        var output = Output(try section.outputPath(member.key, in: directory, member.keyLine), role: role)
        let known = role == .plot ? Self.outputKeys + Self.plotKeys : Self.outputKeys
        // A plot may be drawn in several ways: a list of them.
        var ways = [member.value]
        if role == .plot, case .sequence(let several) = member.value.content { ways = several }
        for way in ways {
          var drawing = JSONObject()
          for flag in try section.members(of: way, "'\(member.key)' in \(what)", allowing: known) {
            switch flag.key {
            case "cache": output.isCached = try section.bool(flag.value, "'cache' of '\(member.key)'")
            case "persist": output.isPersistent = try section.bool(flag.value, "'persist' of '\(member.key)'")
            case "push": output.isPushed = try section.bool(flag.value, "'push' of '\(member.key)'")
            case _ where role == .plot && Self.plotKeys.contains(flag.key): drawing[flag.key] = flag.value.value
            default: output.annotations[flag.key] = flag.value.value
            }
          }
          if !drawing.isEmpty { output.ways.append(drawing) }
        }
        outputs.append(output)
      }
    }
    return outputs
  }

  private func environment(_ node: YAMLNode, _ what: String) throws(PipelineError) -> DeclaredEnvironment {
    var environment = DeclaredEnvironment()
    for member in try section.members(of: node, what, allowing: ["variables", "lock", "packages", "image"]) {
      let texts = try texts(member.value, "'\(member.key)' in \(what)")
      switch member.key {
      case "variables": environment.variables = texts
      case "packages": environment.packages = texts
      case "lock":
        for text in texts { environment.lockFiles.append(try section.path(text, in: directory, member.keyLine)) }
      default: environment.image = try section.text(member.value, "'image' in \(what)")
      }
    }
    return environment
  }

  /// One text, or a list of them.
  private func texts(_ node: YAMLNode, _ what: String) throws(PipelineError) -> [String] {
    guard case .sequence(let nodes) = node.content else { return [try section.text(node, what)] }
    var texts: [String] = []
    for node in nodes { texts.append(try section.text(node, what)) }
    return texts
  }
}
