import ArgumentParser
import DVPipeline
import DVRepository
import DVWorkspace

/// Groups what is asked about stages.
struct StageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage", abstract: "List the stages of dv.yaml, and accept what is there as theirs.", subcommands: [StageListCommand.self, StageAcceptCommand.self],
    defaultSubcommand: StageListCommand.self)
}

struct StageListCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List all stages, in the order in which they run.")

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let repository = try Here.repository()
    let pipeline = try repository.pipeline(from: try repository.treePath(".", from: try Here.directory()))
    if options.json {
      var list = try JSONList(schema: "dv.stage.list/1", "stages")
      for stage in pipeline.graph.stages {
        try list.append { json in
          json.member("stage", stage.address)
          json.member("file", stage.file.text)
          json.member("line", stage.line)
          json.array("cmd") { json in
            for command in stage.commands { json.value(command) }
          }
          json.array("deps") { json in
            for path in stage.inputs { json.value(path.text) }
          }
          json.array("outs") { json in
            for output in stage.outputs { json.value(output.path.text) }
          }
          json.member("frozen", stage.isFrozen)
          json.member("desc", stage.description)
        }
      }
      return try list.finish()
    }
    var table = Table(.left, .left)
    for stage in pipeline.graph.stages {
      let made = stage.outputs.map(\.path.text).joined(separator: ", ")
      table.append(SafeText.name(stage.address), SafeText.name(stage.description ?? (made.isEmpty ? "" : "makes \(made)")))
    }
    try StandardOutput.write(table.lines.map { $0 + "\n" }.joined())
  }
}
