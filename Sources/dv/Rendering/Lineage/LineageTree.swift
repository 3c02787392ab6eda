import DVRepository

/// A graph for people: what it came from above, as a tree from the target, and what came of it below.
struct LineageTree {
  private let graph: LineageGraph
  private let nodes: [String: LineageGraph.Node]
  private var causes: [String: [LineageGraph.Edge]] = [:]
  private var effects: [String: [LineageGraph.Edge]] = [:]

  init(_ graph: LineageGraph) {
    self.graph = graph
    nodes = Dictionary(graph.nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for edge in graph.edges {
      causes[edge.to, default: []].append(edge)
      effects[edge.from, default: []].append(edge)
    }
  }

  var text: String {
    var lines: [String] = []
    for target in graph.targets {
      if !lines.isEmpty { lines.append("") }
      guard let node = nodes[target] else { continue }
      lines.append(Self.line(node))
      // The same numbering for both ways: what was written out is named only from then on.
      var written: Set<String> = [target]
      if causes[target] != nil {
        lines.append("came from")
        append(target, causes, "", &written, &lines, isUp: true)
      }
      written = [target]
      if effects[target] != nil {
        lines.append("led to")
        append(target, effects, "", &written, &lines, isUp: false)
      }
    }
    if graph.isCut { lines.append("There is more beyond this depth.") }
    return lines.map { $0 + "\n" }.joined()
  }

  private func append(
    _ id: String, _ ways: [String: [LineageGraph.Edge]], _ indent: String, _ written: inout Set<String>, _ lines: inout [String],
    isUp: Bool
  ) {
    // An explicit stack: a chain of a thousand runs is no reason to run out of the real one.
    var stack: [(edges: [LineageGraph.Edge], next: Int, indent: String)] = [(ways[id] ?? [], 0, indent)]
    while let top = stack.last {
      guard top.next < top.edges.count else {
        stack.removeLast()
        continue
      }
      stack[stack.count - 1].next += 1
      let edge = top.edges[top.next]
      let isLast = top.next == top.edges.count - 1
      let other = isUp ? edge.from : edge.to
      guard let node = nodes[other] else { continue }
      let isNew = written.insert(other).inserted
      lines.append(top.indent + (isLast ? "└─ " : "├─ ") + "\(edge.role): " + Self.line(node) + (isNew || ways[other] == nil ? "" : " (see above)"))
      if isNew, let next = ways[other] { stack.append((next, 0, top.indent + (isLast ? "   " : "│  "))) }
    }
  }

  /// One node in a line.
  static func line(_ node: LineageGraph.Node) -> String {
    func fact(_ name: String) -> String? { node.facts.first { $0.name == name }?.value }
    func short(_ name: String) -> String? { fact(name).map { String($0.replacing("sha256:", with: "").prefix(12)) } }
    let label = SafeText.name(node.label)
    switch node.kind {
    case .data:
      let size = fact("size").flatMap { UInt64($0) }.map { "\(ByteCount($0))" }
      let files = fact("files").flatMap { UInt64($0) }.map { Count($0).of("file") }
      return "data \(label) @ \(short("oid") ?? "")" + [size, files].compactMap { $0 }.map { "  " + $0 }.joined()
    case .attestation where fact("record") == nil:
      return "attestation \(label)" + (fact("time").flatMap { Int64($0) }.map { "  \(DateText(milliseconds: $0))" } ?? "")
    case .run, .reproduction, .source, .attestation, .profile, .record:
      let when = (fact("end") ?? fact("time")).flatMap { Int64($0) }.map { "  \(DateText(milliseconds: $0))" } ?? ""
      let state = fact("status").map { $0 == "complete" ? "" : "  \(SafeText.name($0))" } ?? ""
      let title = "\(node.kind.rawValue) \(short("record") ?? "")"
      return title + (label == title ? "" : "  \(label)") + when + state
    case .commit:
      return "commit \(fact("commit").map { String($0.prefix(10)) } ?? "")  \(label)"
    case .model:
      return "model \(label)"
    case .alias:
      return "alias \(label)  (\(SafeText.name(fact("tag") ?? "")))" + (fact("current") == "yes" ? "  current" : "")
    case .parameters:
      return "parameters  " + node.facts.prefix(4).map { SafeText.name("\($0.name.split(separator: ":").last ?? "")=\($0.value)") }
        .joined(separator: ", ") + (node.facts.count > 4 ? ", …" : "")
    }
  }
}
