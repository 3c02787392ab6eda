import ArgumentParser
import DVPipeline
import DVRepository
import DVWorkspace

struct DirectedGraphCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "dag", abstract: "Show which stage needs which.",
    discussion: "As text one line per stage, in the order in which they run; for Graphviz with --format dot.")

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: ArgumentHelp("How to show it.", valueName: "text|dot|mermaid"))
  var format = GraphFormat.text

  @Argument(help: "Only these stages and what they need.")
  var stages: [String] = []

  func run() async throws {
    let repository = try Here.repository()
    let here = try repository.treePath(".", from: try Here.directory())
    let graph = try repository.pipeline(from: here).graph
    let start = here.isRoot ? StagePath.root : try StagePath(String(decoding: here.bytes, as: UTF8.self))
    let named = try stages.flatMap { try graph.positions(named: $0, from: start) }
    let positions = stages.isEmpty ? Array(graph.stages.indices) : graph.closure(of: named)
    guard options.json else {
      return try StandardOutput.write(SafeText.message(format.text.rendering(graph, positions)))
    }
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.dag/1")
      json.array("stages") { json in
        for position in positions {
          json.object { json in
            json.member("stage", graph.stages[position].address)
            json.array("needs") { json in
              for needed in graph.upstream[position] { json.value(graph.stages[needed].address) }
            }
          }
        }
      }
    }
    try StandardOutput.write(json.text + "\n")
  }
}

enum GraphFormat: String, ExpressibleByArgument, CaseIterable {
  case text, dot, mermaid

  var text: GraphText { GraphText(rawValue: rawValue) ?? .text }
}
