import ArgumentParser
import DVRepository
import DVWorkspace

/// Groups what is asked about metrics.
struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Show and compare metrics.",
    subcommands: [MetricsShowCommand.self, MetricsDifferenceCommand.self], defaultSubcommand: MetricsShowCommand.self)
}

struct MetricsShowCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the values in all files of metrics.",
    discussion: "Files of metrics are those that dv.yaml names: JSON, YAML, TOML, CSV or TSV.")

  @OptionGroup var options: GlobalOptions
  @OptionGroup var source: SourceOptions

  @Option(name: .long, help: ArgumentHelp("Show those of a revision.", valueName: "revision"))
  var rev: String?

  @Option(name: .long, help: ArgumentHelp("Round to so many digits.", valueName: "digits"))
  var precision: Int?

  func run() async throws {
    let (repository, revision, here) = try await source.open(at: rev)
    let report = try await ReadValues(.metrics, at: revision, directory: here).run(in: repository)
    ValuesRendering.warn(report.problems)
    try StandardOutput.write(
      options.json
        ? ValuesRendering.json(report, schema: "dv.metrics.show/1") : ValuesRendering.text(report, precision: precision))
  }
}

struct MetricsDifferenceCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare metrics of two revisions, or of one with those on disk.")

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Show equal values too.")
  var all = false

  @Option(name: .long, help: ArgumentHelp("Round to so many digits.", valueName: "digits"))
  var precision: Int?

  @Argument(help: "The old revision; HEAD if not given.")
  var old = "HEAD"

  @Argument(help: "The new revision; what is on disk if not given.")
  var new: String?

  func run() async throws {
    let repository = try Here.repository()
    let here = try repository.workDirectory == nil ? .root : repository.treePath(".", from: try Here.directory())
    let report = try await CompareValues(.metrics, from: old, to: new, directory: here, showsAll: all).run(in: repository)
    ValuesRendering.warn(report.problems)
    try StandardOutput.write(
      options.json
        ? ValuesRendering.json(report, schema: "dv.metrics.diff/1") : ValuesRendering.text(report, precision: precision))
  }
}
