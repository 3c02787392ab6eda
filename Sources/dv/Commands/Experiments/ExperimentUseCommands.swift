import ArgumentParser
import DVRepository
import DVWorkspace

struct ExperimentApplyCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Bring what an experiment changed into the working tree.",
    discussion: "Pointers and records are staged; changes of code and parameters are left to look at.")

  @OptionGroup var options: GlobalOptions

  @Flag(name: .shortAndLong, help: "Overwrite changes of yours.")
  var force = false

  @Argument(help: "The experiment's name.")
  var name: String

  func run() async throws {
    let repository = try Here.repository()
    let operation = ApplyExperiment(name, isForced: force)
    let report = try await operation.run(in: repository, progress: ProgressSink())
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.exp.apply/1")
        json.array("written") { json in for path in report.written { json.object { $0.path("path", path.bytes) } } }
        json.array("removed") { json in for path in report.removed { json.object { $0.path("path", path.bytes) } } }
        json.array("failed") { json in
          for failure in report.failures {
            json.object { json in
              json.path("path", failure.path.bytes)
              json.member("message", failure.error.message)
            }
          }
        }
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      for path in report.written { try StandardOutput.write("wrote   \(SafeText.name(path.bytes))\n") }
      for path in report.removed { try StandardOutput.write("removed \(SafeText.name(path.bytes))\n") }
    }
    if let failure = report.failures.first { throw failure.error }
  }
}

struct ExperimentBranchCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "branch", abstract: "Make a branch of an experiment, without checking it out.")

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The experiment's name.")
  var name: String

  @Argument(help: "The name of the branch.")
  var branch: String

  func run() async throws {
    try BranchExperiment(name, as: branch).run(in: try Here.repository())
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.exp.branch/1")
        json.member("experiment", name)
        json.member("branch", branch)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      try StandardOutput.write("Branch '\(SafeText.name(branch))' is the experiment '\(SafeText.name(name))'.\n")
    }
  }
}

struct ExperimentRemoveCommand: WritingCommand {
  static let configuration = CommandConfiguration(commandName: "rm", abstract: "Remove experiments.", aliases: ["remove"])

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Remove all.")
  var all = false

  @Argument(help: "Their names.")
  var names: [String] = []

  func validate() throws {
    if names.isEmpty != all { throw ValidationError("Name experiments, or remove all of them with --all.") }
  }

  func run() async throws {
    let removed = try RemoveExperiments(names).run(in: try Here.repository())
    if options.json {
      var list = try JSONList(schema: "dv.exp.rm/1", "removed")
      for name in removed { try list.append { $0.member("name", name) } }
      return try list.finish()
    }
    if !options.quiet { try StandardOutput.write("\(Count(UInt64(removed.count)).of("experiment")) removed.\n") }
  }
}

struct ExperimentPushCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Push experiments: their data to dv's remote, their commits to git's.")

  @OptionGroup var options: GlobalOptions
  @OptionGroup var share: ExperimentShareOptions

  func run() async throws {
    let repository = try Here.repository()
    let operation = PushExperiments(share.names, to: share.git, data: share.remote)
    let (names, shares) = try await operation.run(in: repository, progress: ProgressSink())
    try ExperimentShareOptions.tell(names, shares, "push", "pushed", options)
  }
}

struct ExperimentPullCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Pull experiments: their commits from git's remote, their data from dv's.")

  @OptionGroup var options: GlobalOptions
  @OptionGroup var share: ExperimentShareOptions

  @Flag(name: .long, help: "Leave their data on the remote.")
  var noData = false

  func run() async throws {
    let repository = try Here.repository()
    let operation = PullExperiments(share.names, from: share.git, data: share.remote, fetchesData: !noData)
    let (names, shares) = try await operation.run(in: repository, progress: ProgressSink())
    try ExperimentShareOptions.tell(names, shares, "pull", "pulled", options)
  }
}

/// What a push and a pull of experiments are told.
struct ExperimentShareOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Git's remote.", valueName: "name"))
  var git = "origin"

  @Option(name: .shortAndLong, help: ArgumentHelp("dv's remote; the default one if not given.", valueName: "name"))
  var remote: String?

  @Argument(help: "Their names; all if not given.")
  var names: [String] = []

  static func tell(_ names: [String], _ shares: [ShareReport], _ command: String, _ verb: String, _ options: GlobalOptions) throws {
    let failures = shares.flatMap(\.failures)
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.exp.\(command)/1")
        json.array("experiments") { json in for name in names { json.value(name) } }
        json.member("objects", shares.reduce(0) { $0 + $1.objects })
        json.member("bytes", shares.reduce(UInt64(0)) { $0 + $1.bytes })
        json.array("failed") { json in
          for failure in failures {
            json.object { json in
              json.member("path", failure.path)
              json.member("message", failure.message)
            }
          }
        }
      }
      try StandardOutput.write(json.text + "\n")
    } else {
      if !options.quiet { try StandardOutput.write("\(Count(UInt64(names.count)).of("experiment")) \(verb).\n") }
      for failure in failures.prefix(20) { StandardError.write("error: \(SafeText.name(failure.path)): \(SafeText.message(failure.message))\n") }
    }
    if failures.contains(where: { $0.kind == .corrupt }) { throw ExitCode.corrupt }
    if !failures.isEmpty { throw ExitCode.missing }
  }
}
