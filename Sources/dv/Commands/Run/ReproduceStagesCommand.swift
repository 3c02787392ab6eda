import ArgumentParser
import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVRepository
import DVWorkspace

struct ReproduceStagesCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "repro", abstract: "Bring the stages of dv.yaml up to date.",
    discussion: """
      For each stage, in order, says what it decides and why, and runs those whose command, inputs, parameters or declared \
      environment are not those of a recorded run. What an earlier identical run made is restored instead of made again. There \
      is no lock file: after a switch of branches, or in another clone that has the data, nothing runs.

      Without STAGE all stages are brought up to date, else those named and what they need.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Say what would be done, and do nothing.")
  var dryRun = false

  @Option(name: [.customShort("j", allowingJoined: true), .long], help: "How many stages may run at once.")
  var jobs = 1

  @Flag(name: .shortAndLong, help: "Run the stages though they are up to date.")
  var force = false

  @Flag(name: [.customShort("s"), .long], help: "Only the stages named, not what they need.")
  var single = false

  @Flag(name: .long, help: "The stages named and all that depend on them.")
  var downstream = false

  @Flag(name: .long, help: "Fetch data that a stage needs and that is not in the local store.")
  var pull = false

  @Flag(name: .long, help: "Run stages whose last run had other packages, processors or variables than there are here.")
  var strictEnv = false

  @Flag(name: .long, help: "Find and record files that are used and not declared, by tracing with strace.")
  var trace = false

  @Flag(name: .shortAndLong, help: "Go on with other stages after one failed.")
  var keepGoing = false

  @Argument(help: "Stages, dv.yaml files or outputs; all if not given.")
  var stages: [String] = []

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs is at least 1.") }
    if single, downstream { throw ValidationError("--single and --downstream exclude each other.") }
    if single || downstream, stages.isEmpty { throw ValidationError("--single and --downstream need a stage.") }
  }

  func run() async throws {
    let repository = try Here.repository()
    var request = ReproduceStages.Request()
    request.targets = stages
    request.directory = try repository.treePath(".", from: try Here.directory())
    request.isDry = dryRun
    request.width = jobs
    request.isForced = force
    request.isSingle = single
    request.goesDown = downstream
    request.keepsGoing = keepGoing
    request.pulls = pull
    request.isStrict = strictEnv
    request.traces = trace
    let narration = RunNarration(isQuiet: options.quiet, prefixes: jobs > 1, usesErrors: options.json)
    let operation = ReproduceStages(request, environment: ProcessEnvironment.all)
    let report = try await Interruption.holding {
      try await operation.run(in: repository, output: narration.output, progress: ProgressSink())
    }
    if options.json {
      try StandardOutput.write(json(report))
    } else if !options.quiet {
      try StandardOutput.write(text(report))
    }
    if report.wasInterrupted { throw ExitCode.interrupted }
    if report.hasFailures { throw ExitCode.no }
  }

  private func text(_ report: ReproduceReport) -> String {
    if report.items.isEmpty { return "There are no stages here: declare some in dv.yaml, or with 'dv run -n'.\n" }
    let absent = report.absent.prefix(3).map { "'\(SafeText.name($0.text))'" }.joined(separator: ", ")
    let lacking = absent.isEmpty ? "" : " \(absent)\(report.absent.count > 3 ? " …" : "") not checked out: 'dv checkout'."
    if report.isUpToDate { return "All stages are up to date.\(lacking)\n" }
    guard !dryRun, !report.hasFailures else { return "" }
    let ran = report.items.count { $0.status != nil }
    let restored = report.items.count { item in
      if case .restore(_, _)? = item.decision { item.status == nil } else { false }
    }
    var parts: [String] = []
    if ran > 0 { parts.append("\(Count(UInt64(ran)).of("stage")) run") }
    if restored > 0 { parts.append("\(Count(UInt64(restored)).of("stage")) restored") }
    return parts.joined(separator: ", ") + "; pointers and records are staged for git.\(lacking)\n"
  }

  private func json(_ report: ReproduceReport) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.repro/1")
      json.member("upToDate", report.isUpToDate)
      json.member("failed", report.hasFailures)
      json.array("absent") { json in
        for path in report.absent { json.value(path.text) }
      }
      json.array("stages") { json in
        for item in report.items {
          json.object { json in
            json.member("stage", item.stage)
            json.member("decision", item.decision.map { DecisionText(decision: $0).word } ?? "skipped")
            json.member("because", item.decision.flatMap { DecisionText(decision: $0).reason })
            json.member("status", item.status?.rawValue)
            json.member("run", item.record?.text)
            json.array("surroundings") { json in
              for difference in item.differences {
                json.object { json in
                  json.member("name", difference.name)
                  json.member("recorded", difference.recorded)
                  json.member("here", difference.here)
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
