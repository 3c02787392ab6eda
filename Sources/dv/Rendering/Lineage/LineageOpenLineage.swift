import DVRepository

/// The runs of a graph as events of OpenLineage 2-0-2, where each run starts and ends once: a list, as its clients send it in batches.
///
/// OpenLineage names runs by UUID: the first 128 bits of the record's name, with the version and variant of a name-based one.
struct LineageOpenLineage {
  let graph: LineageGraph

  private static let producer = "https://dv.invalid/dv/0.1"
  private static let schema = "https://openlineage.io/spec/2-0-2/OpenLineage.json"

  init(_ graph: LineageGraph) { self.graph = graph }

  var text: String {
    let nodes = Dictionary(graph.nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var json = JSONText()
    json.array { json in
      for run in graph.nodes where run.kind == .run {
        let inputs = graph.edges.filter { $0.to == run.id && $0.role == "input" }.compactMap { nodes[$0.from] }
        let outputs = graph.edges.filter { $0.from == run.id && $0.role == "output" }.compactMap { nodes[$0.to] }
        if run.facts.contains(where: { $0.name == "start" }) { json.object { json in event(run, isStart: true, inputs, outputs, &json) } }
        json.object { json in event(run, isStart: false, inputs, outputs, &json) }
      }
    }
    return json.text + "\n"
  }

  private func event(_ run: LineageGraph.Node, isStart: Bool, _ inputs: [LineageGraph.Node], _ outputs: [LineageGraph.Node], _ json: inout JSONText) {
    func fact(_ name: String) -> String? { run.facts.first { $0.name == name }?.value }
    json.member("eventTime", DateText(milliseconds: fact(isStart ? "start" : "end").flatMap { Int64($0) } ?? 0).iso)
    json.member("producer", Self.producer)
    json.member("schemaURL", Self.schema + "#/$defs/RunEvent")
    json.member("eventType", isStart ? "START" : Self.end(fact("status") ?? ""))
    json.object("run") { json in
      json.member("runId", Self.uuid(fact("record") ?? ""))
      json.object("facets") { json in
        json.object("dv_record") { json in
          json.member("_producer", Self.producer)
          json.member("_schemaURL", Self.schema + "#/$defs/RunFacet")
          json.member("record", fact("record"))
          json.member("commit", fact("commit"))
        }
      }
    }
    json.object("job") { json in
      json.member("namespace", "dv")
      json.member("name", run.label.isEmpty ? "run" : run.label)
    }
    json.array("inputs") { json in for node in inputs { json.object { Self.dataset(node, &$0) } } }
    json.array("outputs") { json in for node in outputs { json.object { Self.dataset(node, &$0) } } }
  }

  private static func end(_ status: String) -> String {
    switch status {
    case "complete", "asserted": "COMPLETE"
    case "interrupted": "ABORT"
    default: "FAIL"
    }
  }

  private static func dataset(_ node: LineageGraph.Node, _ json: inout JSONText) {
    json.member("namespace", "dv")
    json.member("name", node.label)
    json.object("facets") { json in
      json.object("version") { json in
        json.member("_producer", producer)
        json.member("_schemaURL", "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet")
        json.member("datasetVersion", node.facts.first { $0.name == "oid" }?.value ?? "")
      }
    }
  }

  /// A UUID of version 8 (RFC 9562: made by a rule of one's own) from the beginning of a digest.
  private static func uuid(_ text: String) -> String {
    var digits = Array(text.replacing("sha256:", with: "").utf8.prefix(32))
    while digits.count < 32 { digits.append(UInt8(ascii: "0")) }
    digits[12] = UInt8(ascii: "8")
    digits[16] = Array("89ab".utf8)[Int(digits[16]) % 4]
    let hex = String(decoding: digits, as: UTF8.self)
    func part(_ start: Int, _ count: Int) -> String { String(hex.dropFirst(start).prefix(count)) }
    return [part(0, 8), part(8, 4), part(12, 4), part(16, 4), part(20, 12)].joined(separator: "-")
  }
}
