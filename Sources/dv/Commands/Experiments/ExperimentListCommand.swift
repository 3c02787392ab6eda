import ArgumentParser
import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVRepository
import SystemPackage

struct ExperimentListCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List experiments with the parameters and metrics in which they differ.",
    discussion: """
        dv exp list --filter 'metrics.auc > 0.9 and params.lr < 0.1' --sort metrics.auc --desc

      A condition compares metrics.NAME, params.NAME, name, base, commit, author and created (seconds since 1970), with and, or, \
      not and parentheses. What an experiment lacks compares as false. Sorted by time if nothing else is asked for.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: ArgumentHelp("Only those that fit.", valueName: "condition"))
  var filter: String?

  @Option(name: .long, parsing: .singleValue, help: ArgumentHelp("What to sort by; can be repeated.", valueName: "name"))
  var sort: [String] = []

  @Flag(name: .long, help: "The largest first.")
  var desc = false

  @Option(name: .shortAndLong, help: ArgumentHelp("Only so many, the first.", valueName: "number"))
  var limit: Int?

  @Flag(name: .long, help: "Show all parameters and metrics, also those that are the same in all or do not fit the terminal.")
  var all = false

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is at least 1.") }
    _ = try condition()
  }

  private func condition() throws -> ExperimentFilter? {
    do { return try filter.map { try ExperimentFilter($0) } } catch let error as RecordError {
      throw ValidationError(error.message)
    }
  }

  func run() async throws {
    let repository = try Here.repository()
    let operation = ListExperiments(
      filter: try condition(), order: sort, isDescending: desc, limit: limit)
    let found = try operation.run(in: repository)
    if options.json {
      var list = try JSONList(schema: "dv.exp.list/1", "experiments")
      for kept in found { try list.append { ExperimentText.write(kept, to: &$0) } }
      return try list.finish()
    }
    let lines = ExperimentText.table(found, showsAll: all, first: sort, width: Terminal.width(.standardOutput))
    try StandardOutput.write(lines.map { $0 + "\n" }.joined())
  }
}

struct ExperimentShowCommand: Command {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all that is known of an experiment.")

  @OptionGroup var options: GlobalOptions

  @Argument(help: "Its name.")
  var name: String

  func run() async throws {
    let kept = try Here.repository().experiment(named: name)
    guard options.json else {
      return try StandardOutput.write(ExperimentText.lines(kept).map { $0 + "\n" }.joined())
    }
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.exp.show/1")
      ExperimentText.write(kept, to: &json)
    }
    try StandardOutput.write(json.text + "\n")
  }
}

struct ExperimentCompareCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Show in which parameters and metrics experiments differ.")

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Show what is the same too.")
  var all = false

  @Argument(help: "Their names, at least two.")
  var names: [String]

  func validate() throws {
    if names.count < 2 { throw ValidationError("Name at least two experiments.") }
  }

  func run() async throws {
    let repository = try Here.repository()
    let kept = try names.map { try repository.experiment(named: $0) }
    let columns = ExperimentColumns(kept, showsAll: all)
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.exp.compare/1")
        json.array("experiments") { json in for one in kept { json.value(one.name) } }
        json.array("values") { json in
          for column in columns.columns {
            json.object { json in
              json.member("name", column.name)
              json.array("values") { json in
                for value in column.values { if let value { json.value(value) } else { json.null() } }
              }
            }
          }
        }
      }
      return try StandardOutput.write(json.text + "\n")
    }
    guard !columns.columns.isEmpty else { return try StandardOutput.write("They do not differ in parameters or metrics.\n") }
    // A value is a row: names of experiments are short, those of values are not.
    var rows = [[""] + kept.map(\.name)]
    for column in columns.columns { rows.append([SafeText.name(column.name)] + column.values.map { ValueText($0, precision: 6).description }) }
    try StandardOutput.write(ExperimentText.aligned(rows).map { $0 + "\n" }.joined())
  }
}
