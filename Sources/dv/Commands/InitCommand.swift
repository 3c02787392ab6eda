import ArgumentParser
import DVRepository
import DVWorkspace

struct InitCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Set dv up in this git repository.",
    discussion: """
      Writes '.dv/config' and the attributes by which git knows pointers, and stages both for the next commit. Needed \
      once for a project: a clone of it has nothing to set up.
      """)

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let report = try InitializeRepository().run(in: try Here.repository())
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.init/1")
        json.array("changed") { json in
          for path in report.changed { json.value(path.description) }
        }
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      let names = report.changed.map { "'\($0)'" }.joined(separator: " and ")
      try StandardOutput.write(
        report.changed.isEmpty
          ? "dv is set up here already.\n" : "dv is set up. \(names) \(report.changed.count == 1 ? "is" : "are") staged for the next commit.\n")
    }
  }
}
