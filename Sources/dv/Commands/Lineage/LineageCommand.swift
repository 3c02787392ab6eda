import ArgumentParser
import DVRepository

struct LineageCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "lineage", abstract: "Show what made something, and what came of it.",
    discussion: """
      A target is a tracked path, REV:PATH, the start of an oid, of a run or of a commit, MODEL@VERSION, MODEL@ALIAS or a tag \
      of the registry. Without --up or --down both ways are followed. The answer comes from git's history over all branches \
      and tags, its records, and those of this clone; the index that makes it quick can be deleted at any time.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Only what it came from.")
  var up = false

  @Flag(name: .long, help: "Only what came of it.")
  var down = false

  @Option(name: .long, help: ArgumentHelp("How many steps to follow.", valueName: "steps"))
  var depth: Int?

  @Option(name: .long, help: ArgumentHelp("Only what lies between the target and this one.", valueName: "target"))
  var between: PathArgument?

  @Option(name: .long, help: "How to write it: tree, json, dot, mermaid, html, openlineage or prov.")
  var format: LineageFormat?

  @Argument(help: "What to ask about.")
  var target: PathArgument

  func validate() throws {
    if up, down { throw ValidationError("--up and --down exclude each other: without them both ways are followed.") }
    if let depth, depth < 1 { throw ValidationError("--depth is at least 1.") }
    if options.json, let format, format != .json { throw ValidationError("--json and --format \(format.rawValue) exclude each other.") }
    if between != nil, up || down || depth != nil { throw ValidationError("--between takes no --up, --down or --depth.") }
  }

  func run() async throws {
    let graph = try await TraceLineage(
      target.bytes, between: between?.bytes, direction: up ? .up : down ? .down : .both, depth: depth,
      from: try Here.directory()
    ).run(in: try Here.repository())
    for problem in graph.problems { StandardError.write(SafeText.message("warning: \(problem)\n")) }
    if graph.unsearchedTrees > 0 {
      StandardError.write(
        "warning: \(Count(UInt64(graph.unsearchedTrees)).of("directory version")) could not be searched, not being here. 'dv fetch --all' gets them.\n")
    }
    let format = options.json ? .json : format ?? .tree
    try StandardOutput.write(format.text(of: graph))
    if between != nil, graph.edges.isEmpty {
      StandardError.write("Nothing leads from one to the other.\n")
      throw ExitCode.no
    }
  }
}

/// How a graph is written.
enum LineageFormat: String, ExpressibleByArgument, CaseIterable {
  case tree, json, dot, mermaid, html, openlineage, prov

  func text(of graph: LineageGraph) -> String {
    switch self {
    case .tree: LineageTree(graph).text
    case .json: LineageJSON(graph).text
    case .dot: LineageDot(graph).text
    case .mermaid: LineageMermaid(graph).text
    case .html: LineagePage(graph).text
    case .openlineage: LineageOpenLineage(graph).text
    case .prov: LineageProv(graph).text
    }
  }
}
