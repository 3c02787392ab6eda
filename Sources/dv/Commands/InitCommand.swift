import ArgumentParser
import DVFile
import DVRepository
import DVWorkspace

struct InitCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Set dv up in this git repository.",
    discussion: """
      Writes '.dv/config' and the attributes by which git knows pointers, and stages both for the next commit. Needed \
      once for a project: a clone of it has nothing to set up.

      --hooks is for this clone alone: after 'git checkout', 'merge' and 'rebase' the data follows its pointers, as \
      far as the local store has it, and 'git push' pushes the data of what it pushes first. Hooks that are there \
      already are kept and run before dv's.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(
    name: .long, inversion: .prefixedNo, exclusivity: .exclusive,
    help: "Let git's hooks check out and push data, or no longer.")
  var hooks: Bool?

  func run() async throws {
    let repository = try Here.repository()
    let report = try InitializeRepository().run(in: repository)
    let program = try GitProgram(searchPath: ProcessEnvironment.variable("PATH"))
    let hookReport = try hooks.map { wanted in
      let hooks = GitHooks(calling: program)
      return try wanted ? hooks.install(in: repository) : hooks.uninstall(in: repository)
    }
    if options.json {
      try StandardOutput.write(json(report, hookReport))
    } else if !options.quiet {
      try StandardOutput.write(text(report, hookReport).map { $0 + "\n" }.joined())
    }
  }

  private func text(_ report: InitializeRepository.Report, _ hookReport: GitHooks.Report?) -> [String] {
    let names = report.changed.map { "'\($0)'" }.joined(separator: " and ")
    var lines: [String] = []
    if !report.changed.isEmpty {
      lines.append("dv is set up. \(names) \(report.changed.count == 1 ? "is" : "are") staged for the next commit.")
    } else if hookReport == nil {
      lines.append("dv is set up here already.")
    }
    guard let hookReport else { return lines }
    let (changed, kept) = (hookReport.changed.joined(separator: ", "), hookReport.kept.joined(separator: ", "))
    if hookReport.changed.isEmpty {
      lines.append(hooks == true ? "The hooks are installed already." : "No hook of dv's is installed.")
    } else if hooks == true {
      lines.append("Installed hooks: \(changed)." + (kept.isEmpty ? "" : " What was there before still runs: \(kept)."))
    } else {
      lines.append("Removed hooks: \(changed)." + (kept.isEmpty ? "" : " In place again: \(kept)."))
    }
    return lines
  }

  private func json(_ report: InitializeRepository.Report, _ hookReport: GitHooks.Report?) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.init/1")
      json.array("changed") { json in
        for path in report.changed { json.value(path.description) }
      }
      if let hookReport {
        json.array("hooks") { json in
          for name in hookReport.changed { json.value(name) }
        }
      }
    }
    return json.text + "\n"
  }
}
