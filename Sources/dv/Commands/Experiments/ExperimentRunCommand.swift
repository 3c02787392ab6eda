import ArgumentParser
import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVRepository
import DVWorkspace

struct ExperimentRunCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run experiments: the pipeline with parameters set, each in a working tree of its own.",
    discussion: """
        dv exp run --set lr=0.1
        dv exp run --grid lr=0.1,0.01 --grid model.depth=2,4,8 --parallel 2

      Starts from what is on disk: files that git tracks, with your changes, and data by its pointers. Stages that ran before with \
      the same inputs and parameters are restored. A parameter is looked for in params.yaml, or in FILE of FILE:NAME=VALUE.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(
    name: [.customShort("S"), .long], parsing: .singleValue,
    help: ArgumentHelp("Set a parameter; can be repeated.", valueName: "[file:]name=value"))
  var set: [String] = []

  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp("Run with each of these values; several make every combination.", valueName: "[file:]name=value,…"))
  var grid: [String] = []

  @Option(name: [.customShort("j", allowingJoined: true), .long], help: "How many experiments may run at once.")
  var parallel = 1

  @Option(name: .shortAndLong, help: "Name the experiment; several get a number after it.")
  var name: String?

  @Flag(name: .shortAndLong, help: "Run stages though they are up to date.")
  var force = false

  @Argument(help: "Stages or outputs; all if not given.")
  var stages: [String] = []

  func validate() throws {
    if parallel < 1 { throw ValidationError("--parallel is at least 1.") }
    _ = try axes()
  }

  private func axes() throws -> [ExperimentRequest.Axis] {
    let axes = try set.map { (text: String) in try Self.axis(text, isGrid: false) } + grid.map { (text: String) in try Self.axis(text, isGrid: true) }
    for (index, axis) in axes.enumerated() where axes[..<index].contains(where: { $0.file == axis.file && $0.name == axis.name }) {
      throw ValidationError("'\(axis.name)' is set twice.")
    }
    return axes
  }

  private static func axis(_ text: String, isGrid: Bool) throws -> ExperimentRequest.Axis {
    guard let axis = ExperimentRequest.Axis(text, isGrid: isGrid) else {
      throw ValidationError("'\(text)' sets nothing: expected NAME=VALUE, such as lr=0.1.")
    }
    return axis
  }

  func run() async throws {
    let repository = try Here.repository()
    var request = ExperimentRequest()
    request.targets = stages
    request.axes = try axes()
    request.name = name
    request.width = parallel
    request.isForced = force
    let operation = RunExperiments(
      request, directory: try repository.treePath(".", from: try Here.directory()), environment: ProcessEnvironment.all)
    let isMany = request.axes.contains { $0.values.count > 1 }
    let (isQuiet, isParallel, isJSON) = (options.quiet, parallel > 1, options.json)
    let report = try await Interruption.holding {
      try await operation.run(
        in: repository,
        output: { number, settings in
          let narration = RunNarration(isQuiet: isQuiet, prefixes: isParallel, usesErrors: isJSON)
          if isMany, !isQuiet {
            StandardError.write("experiment \(number + 1): \(settings.map { SafeText.name($0.text) }.joined(separator: ", "))\n")
          }
          return isParallel ? narration.output(of: "\(number + 1)") : narration.output
        }, progress: ProgressSink())
    }
    if options.json { try StandardOutput.write(json(report)) } else { try StandardOutput.write(text(report)) }
    if report.wasInterrupted { throw ExitCode.interrupted }
    if report.items.contains(where: \.isMissingData) { throw ExitCode.missing }
    if report.items.contains(where: { $0.name == nil }) { throw ExitCode.no }
  }

  private func text(_ report: ExperimentReport) -> String {
    var text = ""
    for item in report.items {
      let settings = item.settings.map { SafeText.name($0.text) }.joined(separator: ", ")
      guard let name = item.name, let experiment = item.experiment else {
        if let failure = item.failure {
          text += "failed\(settings.isEmpty ? "" : " (\(settings))"): \(SafeText.message(failure))\n"
        }
        continue
      }
      let values = experiment.metrics.members.map { ($0.key, $0.value.flattened()) }
      let metrics = values.flatMap { file, found in
        found.map { name, value in
          // Of two files' one name the file tells which.
          let isOnly = values.count { $0.1.contains { $0.name == name } } == 1
          return "\(isOnly ? "" : "\(SafeText.name(file)):")\(SafeText.name(name))=\(ValueText(value, precision: 6))"
        }
      }
      text += "\(name)\(settings.isEmpty ? "" : "  \(settings)")\(metrics.isEmpty ? "" : "  ->  \(metrics.prefix(8).joined(separator: ", "))\(metrics.count > 8 ? " …" : "")")\n"
    }
    return text
  }

  private func json(_ report: ExperimentReport) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.exp.run/1")
      json.array("experiments") { json in
        for item in report.items {
          json.object { json in
            json.member("name", item.name)
            json.member("commit", item.commit)
            json.member("failure", item.failure)
            json.array("set") { json in
              for setting in item.settings {
                json.object { json in
                  json.member("file", setting.file)
                  json.member("name", setting.name)
                  json.member("value", setting.value)
                }
              }
            }
            json.member("params", item.experiment.map { JSONValue.object($0.parameters) })
            json.member("metrics", item.experiment.map { JSONValue.object($0.metrics) })
            json.array("stages") { json in
              for stage in item.stages?.items ?? [] {
                json.object { json in
                  json.member("stage", stage.stage)
                  json.member("decision", stage.decision.map { DecisionText(decision: $0).word } ?? "skipped")
                  json.member("status", stage.status?.rawValue)
                  json.member("run", stage.record?.text)
                }
              }
            }
          }
        }
      }
    }
    return json.text + "\n"
  }
}
