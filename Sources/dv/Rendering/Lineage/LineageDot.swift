import DVRepository

/// A graph in the language of Graphviz.
struct LineageDot {
  let graph: LineageGraph

  init(_ graph: LineageGraph) { self.graph = graph }

  var text: String {
    var lines = ["digraph lineage {", "  rankdir=LR;", "  node [fontname=\"sans-serif\", fontsize=10];", "  edge [fontname=\"sans-serif\", fontsize=8];"]
    for node in graph.nodes {
      let style = graph.targets.contains(node.id) ? ", penwidth=2" : ""
      lines.append("  \(Self.quoted(node.id)) [label=\(Self.quoted(LineageTree.line(node))), shape=\(Self.shape(node.kind))\(style)];")
    }
    for edge in graph.edges {
      lines.append("  \(Self.quoted(edge.from)) -> \(Self.quoted(edge.to)) [label=\(Self.quoted(edge.role))];")
    }
    return (lines + ["}"]).map { $0 + "\n" }.joined()
  }

  /// A string of the language: only quotes and, before them or at the end, backslashes mean something. In labels a backslash
  /// also begins escapes, so each is doubled.
  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n").replacing("\0", with: "") + "\""
  }

  private static func shape(_ kind: LineageGraph.Node.Kind) -> String {
    switch kind {
    case .data: "cylinder"
    case .run, .reproduction: "box"
    case .model, .alias: "component"
    case .commit: "circle"
    case .source: "folder"
    case .parameters, .profile, .attestation, .record: "note"
    }
  }
}
