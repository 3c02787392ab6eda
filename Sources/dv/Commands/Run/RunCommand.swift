import ArgumentParser
import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVRepository
import DVWorkspace

struct RunCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a command, track what it makes, and record what made it.",
    discussion: """
      Before: notes inputs, parameters, code and environment, and removes old outputs (their bytes stay in the store). \
      After: stores the outputs, writes and stages their pointers, which name the run, and the run's record. A command that \
      fails, or is interrupted, leaves a record too. With -n it becomes a stage of dv.yaml, which 'dv repro' runs again when \
      something changed.

        dv run -n train -d data -d train.py -p lr,epochs -o model.pkl -M metrics.json -- python train.py

      One argument after -- is a line for the shell; several are a program and its arguments. Exits with the command's own \
      exit code if that fails.
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var stage: StageOptions

  @Flag(name: .long, help: "Find and record files that are used and not declared, by tracing with strace.")
  var trace = false

  @Flag(name: .shortAndLong, help: "Replace a stage of the same name.")
  var force = false

  @Argument(parsing: .postTerminator, help: "The command, after --.")
  var command: [String]

  func validate() throws {
    if command.isEmpty { throw ValidationError("No command is given: it comes after --.") }
  }

  func run() async throws {
    let narration = RunNarration(isQuiet: options.quiet, prefixes: false, usesErrors: options.json)
    let repository = try Here.repository()
    let here = try repository.treePath(".", from: try Here.directory())
    let words = command.map { String(decoding: ArgumentText.bytes(of: $0), as: UTF8.self) }
    let isLine = command.count == 1 && command[0].contains { " |&;<>()$`\"'*?~\n".contains($0) }
    let text = isLine ? words[0] : ShellWord.line(words)
    let operation = RunCommandLine(
      try stage.stage(command: text, in: here), arguments: isLine ? [] : command.map(ArgumentText.bytes), isNamed: stage.name != nil,
      replaces: force, environment: ProcessEnvironment.all, traces: trace)
    let finished = try await Interruption.holding {
      try await operation.run(in: repository, output: narration.output, progress: ProgressSink())
    }
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.run/1")
        RunText(id: finished.record, run: finished.run).write(to: &json)
      }
      try StandardOutput.write(json.text + "\n")
    }
    switch finished.run.status {
    case .complete: break
    case .interrupted: throw ExitCode.interrupted
    default: throw CommandFailure(finished.run.exitCode)
    }
  }
}
