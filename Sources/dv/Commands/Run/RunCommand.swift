import ArgumentParser
import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVRepository
import DVWorkspace
import SystemPackage

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

      Where there is no git, as in a container or on a node of a cluster, --bundle writes the record and all that it names to \
      a file, --remote to a remote; 'dv runs adopt' takes them home. The code is the directory's files that no .gitignore \
      names, the commit is what DV_COMMIT says, or GITHUB_SHA and the like. With -n and no command, that stage of the dv.yaml \
      here is run. Of the processes that torchrun, mpirun or srun started, only the first records; DV_RANK overrules them.

        dv run --bundle run.dvb -n train
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var stage: StageOptions

  @Flag(name: .long, help: "Find and record files that are used and not declared, by tracing with strace.")
  var trace = false

  @Flag(name: .shortAndLong, help: "Replace a stage of the same name; away from home, remove what is in the place of outputs.")
  var force = false

  @Option(name: .long, help: ArgumentHelp("Record the run away from home, in a new file.", valueName: "file"))
  var bundle: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("Record the run away from home, on a remote: its name, path or URL.", valueName: "remote"))
  var remote: String?

  @Argument(parsing: .postTerminator, help: "The command, after --.")
  var command: [String] = []

  func validate() throws {
    if bundle != nil, remote != nil { throw ValidationError("--bundle and --remote exclude each other.") }
    if command.isEmpty, destination == nil || stage.name == nil { throw ValidationError("No command is given: it comes after --.") }
  }

  private var destination: RunAway.Destination? { bundle.map { .bundle(FilePath($0)) } ?? remote.map { .remote($0) } }

  func run() async throws {
    let narration = RunNarration(isQuiet: options.quiet, prefixes: false, usesErrors: options.json)
    if let rank = ProcessRank(ProcessEnvironment.variable), !rank.records {
      return try await runUnrecorded(rank, narration)
    }
    let finished: FinishedRun
    if let destination {
      let report = try await away(to: destination, narration)
      finished = report.finished
      try tell(report, destination)
    } else {
      finished = try await atHome(narration)
      if options.json { try write(finished) { _ in } }
    }
    switch finished.run.status {
    case .complete: break
    case .interrupted: throw ExitCode.interrupted
    default: throw CommandFailure(finished.run.exitCode)
    }
  }

  private func write(_ finished: FinishedRun, _ more: (inout JSONText) -> Void) throws {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.run/1")
      RunText(id: finished.record, run: finished.run).write(to: &json)
      more(&json)
    }
    try StandardOutput.write(json.text + "\n")
  }

  /// The command as one line for a shell, and as a program with arguments if it is one.
  private var line: (text: String, arguments: [[UInt8]]) {
    let words = command.map { String(decoding: ArgumentText.bytes(of: $0), as: UTF8.self) }
    let isLine = command.count == 1 && command[0].contains { " |&;<>()$`\"'*?~\n".contains($0) }
    return (isLine ? words[0] : ShellWord.line(words), isLine ? [] : command.map(ArgumentText.bytes))
  }

  // MARK: - At home

  private func atHome(_ narration: RunNarration) async throws -> FinishedRun {
    let repository: Repository
    do { repository = try Here.repository() } catch let error as GitError where error.code == .notRepository {
      throw RepositoryError(
        .usage, error.message, remedy: "To record a run where there is no git, use --bundle FILE or --remote REMOTE.", cause: error)
    }
    let here = try repository.treePath(".", from: try Here.directory())
    let (text, arguments) = line
    let operation = RunCommandLine(
      try stage.stage(command: text, in: here), arguments: arguments, isNamed: stage.name != nil,
      replaces: force, environment: ProcessEnvironment.all, traces: trace)
    return try await Interruption.holding {
      try await operation.run(in: repository, output: narration.output, progress: ProgressSink())
    }
  }

  // MARK: - Away from home

  private func away(to destination: RunAway.Destination, _ narration: RunNarration) async throws -> RunAway.Report {
    let directory = try Here.directory()
    let root = try RunAway.root(above: directory)
    let work = try work(in: directory, root)
    // If this is killed, another dv delivers what there is.
    let program = try? GitProgram(searchPath: nil).path.rawBytes
    let operation = RunAway(
      work, to: destination, environment: ProcessEnvironment.all, traces: trace, discardsReplaced: force,
      deliverer: program.map { [$0] + ["runs", "deliver"].map { Array($0.utf8) } })
    return try await Interruption.holding {
      try await operation.run(
        root: root, directory: directory, lookUp: ProcessEnvironment.variable, output: narration.output, progress: ProgressSink())
    }
  }

  private func work(in directory: FilePath, _ root: FilePath) throws -> RunWork {
    let here = TreePath(directory.rawBytes.dropFirst(root.rawBytes.count).drop { $0 == UInt8(ascii: "/") }) ?? .root
    if command.isEmpty, let name = stage.name { return .declared(name, in: here) }
    let (text, arguments) = line
    return .stage(try stage.stage(command: text, in: here), arguments: arguments, isNamed: stage.name != nil)
  }

  private func tell(_ report: RunAway.Report, _ destination: RunAway.Destination) throws {
    let id = report.finished.record
    if options.json {
      return try write(report.finished) { json in
        switch destination {
        case .bundle(let file):
          json.member("bundle", file.string)
          json.member("bundleSize", report.bundleSize ?? 0)
        case .remote(let name): json.member("remote", name)
        }
      }
    }
    guard !options.quiet else { return }
    let from = report.commit.map { " It was made from commit \($0.prefix(12))." } ?? " Nothing says which commit it was made from: DV_COMMIT does."
    switch destination {
    case .bundle(let file):
      let name = SafeText.name(file.string)
      StandardError.write("Wrote '\(name)' (\(ByteCount(report.bundleSize ?? 0))).\(from) At home: dv runs adopt \(name)\n")
    case .remote(let name):
      StandardError.write("Pushed the run to '\(SafeText.name(name))'.\(from) At home: dv runs adopt \(id.shortHex)\n")
    }
  }

  // MARK: - Not the first process

  private func runUnrecorded(_ rank: ProcessRank, _ narration: RunNarration) async throws {
    if !options.quiet {
      StandardError.write("Not recorded: this is process \(rank.number) of its job (\(rank.variable)); process 0 records.\n")
    }
    let directory = try Here.directory()
    let root = try RunAway.root(above: directory)
    let operation = RunUnrecorded(try work(in: directory, root), environment: ProcessEnvironment.all)
    let ending = try await Interruption.holding {
      try await operation.run(root: root, lookUp: ProcessEnvironment.variable, output: narration.output)
    }
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.run/1")
        json.member("recorded", false)
        json.member("rank", rank.number)
      }
      try StandardOutput.write(json.text + "\n")
    }
    switch ending {
    case .succeeded: break
    case .interrupted: throw ExitCode.interrupted
    case .failed(let code): throw CommandFailure(code.map { Int64($0) })
    }
  }
}
