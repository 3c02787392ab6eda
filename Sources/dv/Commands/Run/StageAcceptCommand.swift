import ArgumentParser
import DVFile
import DVObject
import DVRepository

struct StageAcceptCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept", abstract: "Take what is there for what a stage would make, without running it.",
    discussion: """
      Stores and tracks the stage's outputs as they are, and records that you vouch for them: the record says 'asserted' \
      instead of 'complete'. From then on 'dv repro' takes the stage for up to date. Meant for outputs that were made before \
      dv was used, or elsewhere, and for changes of code that you know to change nothing.
      """)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "Stages, dv.yaml files or outputs.")
  var stages: [String]

  func run() async throws {
    let repository = try Here.repository()
    let here = try repository.treePath(".", from: try Here.directory())
    let narration = RunNarration(isQuiet: options.quiet, prefixes: false, usesErrors: true)
    let items = try await AcceptStages(stages, directory: here, environment: ProcessEnvironment.all)
      .run(in: repository, output: narration.output, progress: ProgressSink())
    guard options.json else {
      if options.quiet { return }
      return try StandardOutput.write(
        items.map { item in
          let name = SafeText.name(item.stage)
          return item.wasRecorded
            ? "\(name): up to date already, by run \(item.record.shortHex)\n"
            : "\(name): accepted as it is, recorded as run \(item.record.shortHex)\n"
        }.joined())
    }
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.stage.accept/1")
      json.array("stages") { json in
        for item in items {
          json.object { json in
            json.member("stage", item.stage)
            json.member("run", item.record.text)
            json.member("accepted", !item.wasRecorded)
          }
        }
      }
    }
    try StandardOutput.write(json.text + "\n")
  }
}
