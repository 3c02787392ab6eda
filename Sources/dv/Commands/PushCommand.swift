import ArgumentParser
import DVRepository

struct PushCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Copy data to a remote, so that others can pull it.",
    discussion: """
      Copies what the remote lacks: chunks, not files, so a new version costs what changed in it. Without a target, the \
      data of all pointers of the working tree. What is damaged or missing here is named, and all else is pushed.
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var share: ShareOptions

  @Argument(help: "What to push; all tracked data if not given.")
  var targets: [PathArgument] = []

  func run() async throws {
    let (targets, share) = (targets, share)
    let report = try await ProgressDisplay(options).show { progress in
      let repository = try Here.repository(countingIn: progress)
      let paths = try Here.treePaths(targets, in: repository)
      return try await PushData(paths, scope: share.scope, to: share.remote, width: share.jobs).run(
        in: repository, progress: progress)
    }
    try report.print(schema: "dv.push/1", verb: "Pushed", options)
    try report.throwFailures(verb: "pushed")
  }
}

extension ShareReport {
  /// Prints the answer.
  func print(schema: String, verb: String, _ options: GlobalOptions) throws {
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", schema)
        write(to: &json)
        json.array("failed") { writeFailures(to: &$0) }
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      try StandardOutput.write(summary(verb: verb).map { $0 + "\n" }.joined())
    }
  }
}
