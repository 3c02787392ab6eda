import ArgumentParser
import DVLineage
import DVObject
import DVRepository

/// Groups what is asked about recorded runs.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Look at recorded runs, and take home those made elsewhere.",
    subcommands: [RunsListCommand.self, RunsShowCommand.self, RunsDifferenceCommand.self, RunsAdoptCommand.self, RunsDeliverCommand.self],
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

  @Flag(name: .long, help: "List what 'dv reproduce' recorded instead, with the runs that were made again.")
  var reproductions = false

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is at least 1.") }
    if reproductions, stage != nil { throw ValidationError("--reproductions and --stage exclude each other.") }
  }

  func run() async throws {
    let repository = try Here.repository()
    if reproductions { return try await listReproductions(in: repository) }
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

extension RunsListCommand {
  private func listReproductions(in repository: Repository) async throws {
    let (items, problems) = try await ListReproductions(limit: limit).run(in: repository)
    ValuesRendering.warn(problems)
    if options.json {
      var list = try JSONList(schema: "dv.runs.list/1", "reproductions")
      for (id, reproduction) in items { try list.append { ReproductionRecordText(id: id, record: reproduction).write(to: &$0) } }
      return try list.finish()
    }
    var table = Table(.left, .left, .right, .left, .left, .left)
    for (id, record) in items {
      table.append(
        id.shortHex, DateText(milliseconds: record.start).description, TimeSpan(.milliseconds(max(0, record.end - record.start))).description,
        record.verdict.rawValue, "of \(record.run.shortHex)", SafeText.name(record.stage ?? ""))
    }
    try StandardOutput.write(table.lines.map { $0 + "\n" }.joined())
  }
}

struct RunsShowCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show all that is recorded of a run, or of a reproduction.")

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Print what the run printed instead.")
  var log = false

  @Flag(name: .long, help: "Print the surroundings of the run as JSON instead: system, processor, graphics, Python and its packages.")
  var environment = false

  @Argument(help: "The start of the ID of a run or a reproduction, of at least 4 digits.")
  var id: String

  func validate() throws {
    if log, environment { throw ValidationError("--log and --environment exclude each other.") }
  }

  func run() async throws {
    let repository = try Here.repository()
    let name = ShowRun(self.id)
    if !log, !environment, let (id, reproduction) = try await name.reproduction(in: repository) {
      let text = ReproductionRecordText(id: id, record: reproduction)
      guard options.json else { return try StandardOutput.write(text.lines.map { $0 + "\n" }.joined()) }
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.runs.show/1")
        text.write(to: &json)
      }
      return try StandardOutput.write(json.text + "\n")
    }
    let (id, run) = try await name.run(in: repository)
    if log {
      return try StandardOutput.write(bytes: try await ShowRun.log(of: run, in: repository))
    }
    if environment {
      return try StandardOutput.write(bytes: try await ShowRun.environment(of: run, in: repository) + [0x0a])
    }
    let (made, problems) = try await ListReproductions(of: id).run(in: repository)
    ValuesRendering.warn(problems)
    guard options.json else {
      let again = made.map { id, record in
        "made again   \(record.verdict.rawValue) at \(DateText(milliseconds: record.end)), reproduction \(id.shortHex)"
      }
      return try StandardOutput.write((RunText(id: id, run: run).lines + again).map { $0 + "\n" }.joined())
    }
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.runs.show/1")
      RunText(id: id, run: run).write(to: &json)
      json.array("reproductions") { json in
        for (id, record) in made { json.object { ReproductionRecordText(id: id, record: record).write(to: &$0) } }
      }
    }
    try StandardOutput.write(json.text + "\n")
  }
}
