import DVRepository

/// A graph as dv's own JSON.
struct LineageJSON {
  let graph: LineageGraph

  init(_ graph: LineageGraph) { self.graph = graph }

  var text: String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.lineage/1")
      Self.write(graph, to: &json)
    }
    return json.text + "\n"
  }

  static func write(_ graph: LineageGraph, to json: inout JSONText) {
    json.array("targets") { json in for target in graph.targets { json.value(target) } }
    json.array("nodes") { json in for node in graph.nodes { json.object { write(node, to: &$0) } } }
    json.array("edges") { json in
      for edge in graph.edges {
        json.object { json in
          json.member("from", edge.from)
          json.member("to", edge.to)
          json.member("role", edge.role)
        }
      }
    }
    json.member("cut", graph.isCut)
    json.member("unsearchedTrees", graph.unsearchedTrees)
    json.array("problems") { json in for problem in graph.problems { json.value(problem) } }
  }

  static func write(_ node: LineageGraph.Node, to json: inout JSONText) {
    json.member("id", node.id)
    json.member("type", node.kind.rawValue)
    json.member("label", node.label)
    json.object("facts") { json in
      var names: Set<String> = []
      for fact in node.facts where names.insert(fact.name).inserted { json.member(fact.name, fact.value) }
    }
  }
}
