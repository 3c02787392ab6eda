import ArgumentParser
import DVObject
import DVRepository

struct ImpactCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "impact", abstract: "List every model version, alias and commit that data ended up in.",
    discussion: """
      The target is a tracked path, a part of a tracked directory, REV:PATH, the start of an oid, or any file on disk, which is \
      looked for by its content in everything that was ever tracked or used. The first question after new data arrived reads \
      its directories' listings once.
      """)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "What to ask about.")
  var target: PathArgument

  func run() async throws {
    let report = try await FindImpact(target.bytes, from: try Here.directory()).run(in: try Here.repository())
    for problem in report.graph.problems { StandardError.write(SafeText.message("warning: \(problem)\n")) }
    if report.graph.unsearchedTrees > 0 {
      StandardError.write(
        "warning: \(Count(UInt64(report.graph.unsearchedTrees)).of("directory version")) could not be searched, not being here. 'dv fetch --all' gets them.\n")
    }
    if !report.isKnown {
      StandardError.write("note: Nothing that is or was tracked or used here has this content (\(report.oids.map(\.text).joined(separator: ", "))).\n")
    }
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.impact/1")
        json.array("oids") { json in for oid in report.oids { json.value(oid.text) } }
        for (key, kind) in [("models", LineageGraph.Node.Kind.model), ("aliases", .alias), ("runs", .run), ("data", .data), ("commits", .commit)] {
          json.array(key) { json in for node in report.nodes(kind) { json.object { LineageJSON.write(node, to: &$0) } } }
        }
        json.member("known", report.isKnown)
        json.member("complete", report.graph.unsearchedTrees == 0)
        json.member("unsearchedTrees", report.graph.unsearchedTrees)
      }
      return try StandardOutput.write(json.text + "\n")
    }
    var output = OutputBuffer()
    let sections = [("Model versions", LineageGraph.Node.Kind.model), ("Aliases", .alias), ("Runs", .run), ("Data", .data), ("Commits", .commit)]
    for (title, kind) in sections {
      let nodes = report.isKnown ? report.nodes(kind) : []
      try output.append("\(title): \(nodes.isEmpty ? "none" : "\(nodes.count)")\n")
      for node in nodes { try output.append("  \(LineageTree.line(node))\n") }
    }
    try output.flush()
  }
}
