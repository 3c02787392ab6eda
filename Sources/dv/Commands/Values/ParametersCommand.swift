import ArgumentParser
import DVRepository
import DVWorkspace

/// Groups what is asked about parameters.
struct ParametersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "params", abstract: "Show and compare parameters.",
    subcommands: [ParametersShowCommand.self, ParametersDifferenceCommand.self], defaultSubcommand: ParametersShowCommand.self)
}

struct ParametersShowCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the values in all files of parameters.",
    discussion: "Files of parameters are params.yaml and those that dv.yaml names: YAML, JSON, TOML or Python.")

  @OptionGroup var options: GlobalOptions
  @OptionGroup var source: SourceOptions

  @Option(name: .long, help: ArgumentHelp("Show those of a revision.", valueName: "revision"))
  var rev: String?

  func run() async throws {
    let (repository, revision, here) = try await source.open(at: rev)
    let report = try await ReadValues(.parameters, at: revision, directory: here).run(in: repository)
    ValuesRendering.warn(report.problems)
    try StandardOutput.write(
      options.json ? ValuesRendering.json(report, schema: "dv.params.show/1") : ValuesRendering.text(report, precision: nil))
  }
}

struct ParametersDifferenceCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare parameters of two revisions, or of one with those on disk.",
    discussion: "Files of parameters are params.yaml and those that dv.yaml names: YAML, JSON, TOML or Python.")

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Show equal values too.")
  var all = false

  @Argument(help: "The old revision; HEAD if not given.")
  var old = "HEAD"

  @Argument(help: "The new revision; what is on disk if not given.")
  var new: String?

  func run() async throws {
    let repository = try Here.repository()
    let here = try repository.workDirectory == nil ? .root : repository.treePath(".", from: try Here.directory())
    let report = try await CompareValues(.parameters, from: old, to: new, directory: here, showsAll: all).run(in: repository)
    ValuesRendering.warn(report.problems)
    try StandardOutput.write(
      options.json
        ? ValuesRendering.json(report, schema: "dv.params.diff/1") : ValuesRendering.text(report, precision: nil))
  }
}
