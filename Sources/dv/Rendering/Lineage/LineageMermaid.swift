import DVRepository

/// A graph as a Mermaid flowchart, as GitHub and GitLab draw it in Markdown.
struct LineageMermaid {
  let graph: LineageGraph

  init(_ graph: LineageGraph) { self.graph = graph }

  var text: String {
    var lines = ["flowchart LR"]
    let numbers = Dictionary(graph.nodes.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    for (number, node) in graph.nodes.enumerated() {
      let label = Self.quoted(LineageTree.line(node))
      let shape =
        switch node.kind {
        case .data: "[(\(label))]"
        case .model, .alias: "{{\(label)}}"
        case .commit: "([\(label)])"
        default: "[\(label)]"
        }
      lines.append("  n\(number)\(shape)")
    }
    for edge in graph.edges {
      guard let from = numbers[edge.from], let to = numbers[edge.to] else { continue }
      lines.append("  n\(from) -->|\(Self.quoted(edge.role))| n\(to)")
    }
    for target in graph.targets {
      if let number = numbers[target] { lines.append("  style n\(number) stroke-width:3px") }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// Quoted, and what would end the quotes or be taken for Markdown or HTML as entities.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "&", "<", ">", "#", ";", "`", "*", "_", "\\": result += "#\(scalar.value);"
      case _ where scalar.value < 0x20: result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
