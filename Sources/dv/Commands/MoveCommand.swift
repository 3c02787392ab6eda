import ArgumentParser
import DVRepository
import DVWorkspace

struct MoveCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "mv", abstract: "Move or rename tracked data.",
    discussion: """
      Moves data with its pointer and stages the change, or renames a path inside a tracked directory. If the \
      destination is a directory, the data goes into it. Nothing is ever overwritten.
      """)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "What to move.")
  var source: PathArgument

  @Argument(help: "Where to.")
  var destination: PathArgument

  func run() async throws {
    let arguments = [source, destination]
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      let repository = try Here.repository()
      let paths = try Here.treePaths(arguments, in: repository)
      return try await MoveData(paths[0], to: paths[1]).run(in: repository, progress: progress)
    }
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.mv/1")
        json.path("source", report.source.bytes)
        json.path("destination", report.destination.bytes)
        json.array("pointers") { json in
          for path in report.pointers { json.object { $0.path("path", path.bytes) } }
        }
        json.member("movedData", report.movedData)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      let (from, to) = (SafeText.name(report.source.bytes), SafeText.name(report.destination.bytes))
      try StandardOutput.write(
        "Moved '\(from)' to '\(to)'\(report.movedData ? "" : ", which is not on disk").\n")
    }
  }
}
