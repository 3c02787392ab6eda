import ArgumentParser
import DVRepository

struct FetchCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch", abstract: "Copy data from a remote into the local store.",
    discussion: """
      The working tree stays as it is: 'dv checkout' puts the data there, and 'dv pull' does both. What is damaged or \
      missing on the remote is named, and all else is fetched.
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var share: ShareOptions

  @Argument(help: "What to fetch, also inside tracked directories; all tracked data if not given.")
  var targets: [PathArgument] = []

  func run() async throws {
    let (targets, share) = (targets, share)
    let report = try await ProgressDisplay(options).show { progress in
      let repository = try Here.repository(countingIn: progress)
      let paths = try Here.treePaths(targets, in: repository)
      return try await FetchData(paths, scope: share.scope, from: share.remote, width: share.jobs).run(
        in: repository, progress: progress)
    }
    try report.print(schema: "dv.fetch/1", verb: "Fetched", options)
    try report.throwFailures(verb: "fetched")
  }
}
