/// A graph of stages as text: for people, for Graphviz, for Mermaid.
public enum GraphText: String, CaseIterable, Sendable {
  case text
  case dot
  case mermaid

  /// Returns the text of the stages at `positions`, ended by a line feed.
  public func rendering(_ graph: StageGraph, _ positions: [Int]) -> String {
    let shown = Set(positions)
    let lines = switch self {
    case .text: positions.map { position in Self.line(graph, position, shown) }
    case .dot: Self.dot(graph, positions, shown)
    case .mermaid: Self.mermaid(graph, positions, shown)
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func line(_ graph: StageGraph, _ position: Int, _ shown: Set<Int>) -> String {
    let needed = graph.upstream[position].filter(shown.contains).map { graph.stages[$0].address }
    let name = graph.stages[position].address
    return needed.isEmpty ? name : "\(name) <- \(needed.joined(separator: ", "))"
  }

  private static func dot(_ graph: StageGraph, _ positions: [Int], _ shown: Set<Int>) -> [String] {
    func quoted(_ position: Int) -> String {
      let name = graph.stages[position].address
      return "\"" + name.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
    var lines = ["digraph dv {"]
    for position in positions { lines.append("  \(quoted(position));") }
    for position in positions {
      for needed in graph.upstream[position] where shown.contains(needed) {
        lines.append("  \(quoted(needed)) -> \(quoted(position));")
      }
    }
    return lines + ["}"]
  }

  private static func mermaid(_ graph: StageGraph, _ positions: [Int], _ shown: Set<Int>) -> [String] {
    var lines = ["flowchart TD"]
    for position in positions {
      let label = graph.stages[position].address.map { $0 == "\"" ? "#quot;" : "\($0)" }.joined()
      lines.append("  n\(position)[\"\(label)\"]")
    }
    for position in positions {
      for needed in graph.upstream[position] where shown.contains(needed) { lines.append("  n\(needed) --> n\(position)") }
    }
    return lines
  }
}
