import DVRepository

/// A graph as PROV-JSON of the W3C (member submission of 2013): data, models and commits are entities, runs activities.
struct LineageProv {
  let graph: LineageGraph

  init(_ graph: LineageGraph) { self.graph = graph }

  var text: String {
    let nodes = Dictionary(graph.nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var names: [String: String] = [:]
    for (number, node) in graph.nodes.enumerated() { names[node.id] = "dv:n\(number)" }
    func isActivity(_ id: String) -> Bool { nodes[id].map { $0.kind == .run || $0.kind == .reproduction } ?? false }
    var json = JSONText()
    json.object { json in
      json.object("prefix") { json in
        json.member("dv", "urn:dv:lineage:")
        json.member("dvt", "urn:dv:term:")
      }
      json.object("entity") { json in
        for node in graph.nodes where !isActivity(node.id) { json.object(names[node.id] ?? "") { write(node, to: &$0) } }
      }
      json.object("activity") { json in
        for node in graph.nodes where isActivity(node.id) { json.object(names[node.id] ?? "") { write(node, to: &$0) } }
      }
      let edges = Array(graph.edges.enumerated())
      func section(_ key: String, _ first: String, _ second: String, _ pick: (LineageGraph.Edge) -> (String, String)?) {
        let found = edges.compactMap { number, edge in pick(edge).map { (number, edge, $0) } }
        guard !found.isEmpty else { return }
        json.object(key) { json in
          for (number, edge, pair) in found {
            json.object("_:e\(number)") { json in
              json.member("prov:\(first)", names[pair.0] ?? "")
              json.member("prov:\(second)", names[pair.1] ?? "")
              json.member("dvt:role", edge.role)
            }
          }
        }
      }
      section("used", "activity", "entity") { isActivity($0.to) && !isActivity($0.from) ? ($0.to, $0.from) : nil }
      section("wasGeneratedBy", "entity", "activity") { isActivity($0.from) && !isActivity($0.to) ? ($0.to, $0.from) : nil }
      section("wasDerivedFrom", "generatedEntity", "usedEntity") {
        !isActivity($0.from) && !isActivity($0.to) ? ($0.to, $0.from) : nil
      }
      section("wasInformedBy", "informed", "informant") { isActivity($0.from) && isActivity($0.to) ? ($0.to, $0.from) : nil }
    }
    return json.text + "\n"
  }

  private func write(_ node: LineageGraph.Node, to json: inout JSONText) {
    json.member("prov:label", node.label)
    json.member("dvt:type", node.kind.rawValue)
    json.member("dvt:id", node.id)
    var names: Set<String> = []
    for fact in node.facts {
      if fact.name == "start" || fact.name == "end", let time = Int64(fact.value), node.kind == .run || node.kind == .reproduction {
        json.member(fact.name == "start" ? "prov:startTime" : "prov:endTime", DateText(milliseconds: time).iso)
        continue
      }
      // Names of facts are words, those of parameters anything: only words become names.
      let name = String(fact.name.unicodeScalars.map { $0.properties.isAlphabetic && $0.isASCII || ("0"..."9").contains($0) ? Character($0) : "-" })
      if names.insert(name).inserted { json.member("dvt:\(name)", fact.value) }
    }
  }
}

extension DateText {
  /// As ISO 8601 and RFC 3339 have it, in UTC with milliseconds.
  var iso: String {
    let text = description
    let rest = ((milliseconds % 1000) + 1000) % 1000
    let digits = String(rest)
    let padding = String(repeating: "0", count: 3 - digits.count)
    return "\(text.prefix(10))T\(text.dropFirst(11).prefix(8)).\(padding)\(digits)Z"
  }
}
