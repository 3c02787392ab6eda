import DVObject

/// Takes nodes of a `dv.yaml` for what its schema says they are, or refuses them with their line.
package struct SchemaReader {
  let file: String

  package init(file: String) { self.file = file }

  package func failure(_ what: String, _ line: Int, remedy: String? = nil) -> PipelineError {
    PipelineError(.schema, "\(SourcePlace(file: file, line: line)): \(what).", remedy: remedy)
  }

  /// Returns the members of a mapping; of nothing, none.
  ///
  /// - Parameter allowed: the keys it may have; `nil` for any.
  package func members(
    of node: YAMLNode, _ what: String, allowing allowed: [String]? = nil
  ) throws(PipelineError) -> [YAMLNode.Member] {
    if case .scalar(.null) = node.content { return [] }
    guard case .mapping(let members) = node.content else {
      throw failure("\(what) is \(node.value.kindText), expected a mapping", node.line)
    }
    for member in members {
      guard let allowed, !allowed.contains(member.key) else { continue }
      throw failure(
        "\(what) has an unknown key '\(member.key)'", member.keyLine,
        remedy: "\(Suggestion(for: member.key, among: allowed)) Known are: \(allowed.joined(separator: ", ")).".trimmingSpaces)
    }
    return members
  }

  /// Returns the elements of a list; of nothing, none.
  package func elements(of node: YAMLNode, _ what: String) throws(PipelineError) -> [YAMLNode] {
    switch node.content {
    case .sequence(let nodes): return nodes
    case .scalar(.null): return []
    default: throw failure("\(what) is \(node.value.kindText), expected a list", node.line)
    }
  }

  /// Returns a text; numbers, true and false are their text.
  package func text(_ node: YAMLNode, _ what: String) throws(PipelineError) -> String {
    switch node.content {
    case .scalar(.null): throw failure("\(what) is empty", node.line)
    case .scalar(let value): return CommandLineText.plain(value)
    default: throw failure("\(what) is \(node.value.kindText), expected text", node.line)
    }
  }

  package func bool(_ node: YAMLNode, _ what: String) throws(PipelineError) -> Bool {
    guard case .scalar(.bool(let value)) = node.content else {
      throw failure("\(what) is \(node.value.kindText), expected true or false", node.line)
    }
    return value
  }

  /// Reads a path and names the line if it is none.
  func path(_ text: String, in directory: StagePath, _ line: Int) throws(PipelineError) -> StagePath {
    do throws(PipelineError) {
      return try StagePath(text, in: directory)
    } catch {
      throw PipelineError(error.code, "\(SourcePlace(file: file, line: line)): \(error.message)", remedy: error.remedy)
    }
  }

  /// Reads the path of an output and names the line if it is none.
  func outputPath(_ text: String, in directory: StagePath, _ line: Int) throws(PipelineError) -> StagePath {
    do throws(PipelineError) {
      return try StagePath(output: text, in: directory)
    } catch {
      throw PipelineError(error.code, "\(SourcePlace(file: file, line: line)): \(error.message)", remedy: error.remedy)
    }
  }

  /// Refuses names of stages that no command line could name.
  func requireStageName(_ name: String, line: Int) throws(PipelineError) {
    let isFit = !name.isEmpty && name.utf8.count <= 200
      && name.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || $0.properties.numericType != nil || "_-.".unicodeScalars.contains($0) }
    guard isFit, name.unicodeScalars.first != "-", name.unicodeScalars.first != "." else {
      throw failure("'\(name)' is no name of a stage", line, remedy: "Use letters, digits, '_', '-' and '.'.")
    }
  }
}
