import ArgumentParser
import DVLineage
import DVObject
import DVRepository

/// Groups what is asked about recorded runs.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Look at recorded runs, and take home those made elsewhere.",
    subcommands: [RunsListCommand.self, RunsShowCommand.self, RunsDifferenceCommand.self, RunsAdoptCommand.self],
    defaultSubcommand: RunsListCommand.self)
}

struct RunsListCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List recorded runs, the newest last, also those that failed.")

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: "Only runs of this stage.")
  var stage: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("Only so many, the newest.", valueName: "number"))
  var limit: Int?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is at least 1.") }
  }

  func run() async throws {
    let repository = try Here.repository()
    let operation = ListRuns(ofStage: stage, limit: limit)
    if options.json {
      let report = try await operation.run(in: repository)
      ValuesRendering.warn(report.problems)
      var list = try JSONList(schema: "dv.runs.list/1", "runs")
      for (id, run) in report.runs { try list.append { RunText(id: id, run: run).write(to: &$0) } }
      return try list.finish()
    }
    let (runs, problems) = try await operation.summaries(in: repository)
    ValuesRendering.warn(problems)
    var table = Table(.left, .left, .right, .left, .left)
    for run in runs {
      table.append(
        run.id.shortHex, DateText(milliseconds: run.start).description, TimeSpan(.milliseconds(run.end - run.start)).description,
        run.status.rawValue, SafeText.name(run.stage ?? run.command))
    }
    try StandardOutput.write(table.lines.map { $0 + "\n" }.joined())
  }
}

struct RunsShowCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show all that is recorded of a run.")

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Print what the run printed instead.")
  var log = false

  @Argument(help: "The start of the run's ID, of at least 4 digits.")
  var id: String

  func run() async throws {
    let repository = try Here.repository()
    let (id, run) = try await ShowRun(self.id).run(in: repository)
    if log {
      return try StandardOutput.write(bytes: try await ShowRun.log(of: run, in: repository))
    }
    guard options.json else {
      return try StandardOutput.write(RunText(id: id, run: run).lines.map { $0 + "\n" }.joined())
    }
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.runs.show/1")
      RunText(id: id, run: run).write(to: &json)
    }
    try StandardOutput.write(json.text + "\n")
  }
}
