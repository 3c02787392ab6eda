import ArgumentParser
import DVLineage
import DVObject
import DVRepository

struct ModelDiffCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare two versions of a model: content, parameters, metrics, inputs.",
    discussion: "What made the versions is compared by the records of their runs.")

  @OptionGroup var options: GlobalOptions

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name"))
  var model: ModelArgument

  @Argument(help: ArgumentHelp("The older version or alias.", valueName: "version"))
  var old: String

  @Argument(help: ArgumentHelp("The newer version or alias.", valueName: "version"))
  var new: String = "latest"

  func run() async throws {
    let comparison = try await CompareModels(model.name, old, new).run(in: try Here.repository())
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.model.diff/1")
        json.member("model", model.name.text)
        json.member("old", comparison.old.release.description)
        json.member("new", comparison.new.release.description)
        json.member("sameContent", comparison.old.oid == comparison.new.oid)
        json.array("differences") { json in
          for difference in comparison.differences {
            json.object { json in
              json.member("kind", difference.kind.rawValue)
              json.member("name", difference.name)
              json.member("old", difference.old)
              json.member("new", difference.new)
            }
          }
        }
        json.array("notes") { json in for note in comparison.notes { json.value(note) } }
      }
      return try StandardOutput.write(json.text + "\n")
    }
    var table = Table(.left, .left, .left, .left)
    for difference in comparison.differences {
      table.append(
        difference.kind.rawValue, SafeText.message(difference.name), SafeText.message(difference.old ?? "-"),
        SafeText.message(difference.new ?? "-"))
    }
    let title = "\(model.name) \(comparison.old.release) -> \(comparison.new.release)"
    let lines = [title] + table.lines + comparison.notes.map { "note: \(SafeText.message($0))" }
    try StandardOutput.write(lines.map { $0 + "\n" }.joined())
  }
}
