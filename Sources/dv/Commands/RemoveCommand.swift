import ArgumentParser
import DVRepository
import DVWorkspace

struct RemoveCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Stop tracking data, or take paths out of tracked directories.",
    discussion: """
      Removes the data, its pointer and its line in .gitignore, and stages that. Data that was modified, or whose \
      version is in no commit, is not removed without --force. Earlier versions stay in history and in the store.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: [.customShort("r"), .customLong("recursive")], help: "Remove directories too.")
  var isRecursive = false

  @Flag(name: [.customLong("keep"), .customLong("cached")], help: "Leave the data on disk, untracked.")
  var keep = false

  @Flag(name: .shortAndLong, help: "Remove data that would be lost.")
  var force = false

  @Argument(help: "What to remove.")
  var paths: [PathArgument]

  func run() async throws {
    let (paths, isRecursive, keep, force) = (paths, isRecursive, keep, force)
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      let repository = try Here.repository()
      let operation = RemoveData(
        try Here.treePaths(paths, in: repository), isRecursive: isRecursive, keepsData: keep, isForced: force)
      return try await operation.run(in: repository, progress: progress)
    }
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.rm/1")
        json.array("removed") { json in
          for path in report.targets + report.parts { json.object { $0.path("path", path.bytes) } }
        }
        json.member("kept", keep)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      let end = keep ? "; it stays on disk" : ""
      let lines =
        report.targets.map { "'\(SafeText.name($0.bytes))' is not tracked any more\(end).\n" }
        + report.parts.map { "Removed '\(SafeText.name($0.bytes))' from its version\(end).\n" }
      try StandardOutput.write(lines.joined())
    }
  }
}
