import ArgumentParser
import DVContent
import DVFile
import DVLineage
import DVObject
import DVRepository
import SystemPackage

struct ReproduceCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce", abstract: "Run again what made a commit's data or a run's, and say how alike it comes out.",
    discussion: """
      First prints the plan: the stages in order, where their inputs can be had, how long they took, and what of the environment \
      is otherwise here. Then runs each in a working tree of its own, from the code that ran then and the inputs that were recorded, \
      and compares every output: identical, equivalent (the same content in another encoding), within-tolerance, different; or \
      blocked, failed, missing. Your own files are neither read nor written.

      A tolerance is the most that two numbers may differ, divided by the larger one. NAME is a value, a tensor, an output or \
      OUTPUT:VALUE, and * stands for anything. A stage can declare its own in dv.yaml, as meta.tolerance.

      The outcome is recorded in this clone. Exits with 0 if all is identical, equivalent or within tolerance, 3 if something \
      to start from is neither here nor on a remote, else with 1.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Print the plan, and run nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Feed later stages with what was made again instead of what was recorded.")
  var chain = false

  @Flag(name: .long, help: "Run the code of the commit rather than the code that ran.")
  var asCommitted = false

  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp("How far numbers may be apart; can be repeated.", valueName: "name=relative"))
  var tolerance: [String] = []

  @Option(name: .long, help: ArgumentHelp("Run each stage so often, and say how many different results that gave.", valueName: "number"))
  var determinism = 1

  @Flag(name: .long, help: "Give the commands no network.")
  var offline = false

  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp("Write the report to a file, as Markdown (.md) or JSON (.json); can be repeated.", valueName: "file"))
  var report: [PathArgument] = []

  @Argument(help: "A commit, the start of a run's ID, or MODEL@VERSION.")
  var target: String

  @Argument(help: "Only these stages or outputs of the commit.")
  var stages: [String] = []

  func validate() throws {
    if determinism < 1 { throw ValidationError("--determinism is at least 1.") }
    for text in tolerance { _ = try Self.rule(text) }
    for file in report where !file.path.string.hasSuffix(".md") && !file.path.string.hasSuffix(".json") {
      throw ValidationError("A report is Markdown or JSON: give its file a name that ends in .md or .json.")
    }
  }

  private static func rule(_ text: String) throws -> Tolerances.Rule {
    guard let equals = text.lastIndex(of: "="), equals != text.startIndex, let relative = Double(text[text.index(after: equals)...]),
      relative >= 0, relative.isFinite
    else { throw ValidationError("'\(text)' is no tolerance: expected NAME=NUMBER, such as auc=0.01.") }
    return Tolerances.Rule(String(text[..<equals]), relative: relative)
  }

  func run() async throws {
    let repository = try Here.repository()
    var request = ReproductionRequest(target)
    request.stages = stages
    request.tolerances = Tolerances(try tolerance.map { try Self.rule($0) })
    request.isChained = chain
    request.isAsCommitted = asCommitted
    request.isOffline = offline
    request.attempts = determinism
    request.isDry = dryRun
    let narration = RunNarration(isQuiet: options.quiet, prefixes: false, usesErrors: true)
    let operation = ReproduceRuns(request, environment: ProcessEnvironment.all)
    let (isQuiet, isJSON) = (options.quiet, options.json)
    let found = try await Interruption.holding {
      try await operation.run(in: repository, output: narration.output, progress: ProgressSink()) { plan in
        guard !isQuiet, !isJSON else { return }
        try StandardOutput.write(ReproductionPlanText(plan).lines.map { $0 + "\n" }.joined())
      }
    }
    let rendering = ReproductionText(found, isDry: dryRun)
    for file in self.report {
      let text = file.path.string.hasSuffix(".md") ? rendering.markdown : rendering.json
      try file.path.replaceContent(with: Array(text.utf8).span)
    }
    if options.json {
      try StandardOutput.write(rendering.json)
    } else if !dryRun {
      try StandardOutput.write(rendering.lines.map { $0 + "\n" }.joined())
    }
    if found.verdict == .different {
      let idle = request.tolerances.rules.filter { !request.tolerances.use.contains($0.pattern) }
      ValuesRendering.warn(idle.map { "The tolerance '\($0.pattern)' fits nothing that differed: it names a value, a tensor, an output or OUTPUT:VALUE." })
    }
    if found.wasInterrupted { throw ExitCode.interrupted }
    if !found.plan.isComplete || found.items.contains(where: { $0.verdict == .missing && !dryRun }) { throw ExitCode.missing }
    if !dryRun, !found.verdict.isGood { throw ExitCode.no }
  }
}
