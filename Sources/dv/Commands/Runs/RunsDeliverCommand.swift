import ArgumentParser
import DVFile
import DVRepository
import SystemPackage

/// What a dv that was killed during 'dv run --bundle' or '--remote' leaves to be done: see ``KilledRuns``.
struct RunsDeliverCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "deliver", abstract: "Deliver what killed runs away from home had printed and logged.", shouldDisplay: false)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The directory that has their folders.")
  var directory: PathArgument

  func run() async throws {
    let narration = RunNarration(isQuiet: options.quiet, prefixes: false, usesErrors: true)
    await KilledRuns(in: try Here.directory().pushing(directory.path), ProcessEnvironment.variable).deliver(narration.output, ProgressSink())
  }
}
