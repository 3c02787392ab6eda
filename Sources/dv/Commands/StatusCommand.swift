import ArgumentParser
import DVRepository
import DVWorkspace

struct StatusCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show how the data on disk differs from its pointers.",
    discussion: """
      The working tree is clean if all data is what its pointers say. What is not pushed to the default remote yet is \
      listed too, and does not make it unclean.

      With --remote the remote is asked, for the data of the working tree and of HEAD: what it does not have is listed \
      as not pushed, and what it had and has no longer whole as damaged; then the exit code is 4. Damage that leaves the \
      size of what is stored as it was is found by 'dv fsck --remote' and by every pull.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Exit with 1 if the working tree is not clean.")
  var exitCode = false

  @Flag(name: .long, help: "Ask the remote what it has.")
  var remote = false

  @Option(
    name: .customShort("r"),
    help: ArgumentHelp("Ask this remote; the default one is asked by --remote.", valueName: "name"))
  var remoteName: String?

  @Argument(help: "What to look at; all tracked data if not given.")
  var paths: [PathArgument] = []

  func run() async throws {
    let paths = paths
    let question: ReportStatus.RemoteSource = remote || remoteName != nil ? .asked(remoteName) : .remembered
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      let repository = try Here.repository()
      return try await ReportStatus(try Here.treePaths(paths, in: repository), remote: question).run(
        in: repository, progress: progress)
    }
    try StandardOutput.write(options.json ? json(report) : text(report))
    if report.isDamagedOnRemote { throw ExitCode.corrupt }
    if exitCode, !report.isClean { throw ExitCode.no }
  }

  /// The states in the order in which they are shown, with their title and the word before each path.
  private static let sections: [(title: String, states: [(state: StatusReport.State, word: String)])] = [
    ("In conflict; keep one version with 'git checkout --ours/--theirs', or put the right data in place and 'dv add' it:",
      [(.conflicted, "conflict")]),
    ("Pointers that cannot be read:", [(.unreadable, "unreadable")]),
    ("Changed ('dv add' takes it over, 'dv checkout --force' drops it):",
      [(.modified, "modified"), (.untrackedInside, "new"), (.deletedInside, "deleted")]),
    ("Cannot be tracked:", [(.unsupported, "unsupported")]),
    ("Not on disk ('dv checkout' puts it there):", [(.missing, "missing")]),
    ("Not on this machine ('dv pull' fetches it):", [(.absentLocally, "absent")]),
  ]

  private func text(_ report: StatusReport) -> String {
    var lines: [String] = []
    for section in Self.sections {
      var rows: [String] = []
      for (state, word) in section.states {
        for entry in report.entries where entry.state == state {
          let label = "\(word):" + String(repeating: " ", count: max(1, 12 - word.count))
          rows.append(entry.message.map { "  " + SafeText.message($0) } ?? "  \(label)\(SafeText.name(entry.path.bytes))")
        }
      }
      guard !rows.isEmpty else { continue }
      lines += [section.title] + rows + [""]
    }
    let remote = SafeText.name(report.remote ?? "")
    lines += Self.section("Not pushed to '\(remote)' yet ('dv push'):", .unpushed, of: report)
    lines += Self.section(
      "Damaged on '\(remote)' ('dv push' from a clone that has it whole makes it good):", .damagedOnRemote, of: report)
    if report.isClean {
      lines.append(
        report.targets == 0
          ? "dv tracks nothing here. 'dv add PATH' starts." : "All data is what its pointers say.")
      if report.askedRemote, report.entries.isEmpty, report.targets > 0 { lines.append("Remote '\(remote)' has all of it.") }
    } else {
      lines.removeLast()
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The lines of a state that a remote is in about.
  private static func section(_ title: String, _ state: StatusReport.State, of report: StatusReport) -> [String] {
    let entries = report.entries.filter { $0.state == state }
    if entries.isEmpty { return [] }
    return [title] + entries.map { entry in
      "  \(SafeText.name(entry.path.bytes))" + (entry.message.map { " (\(SafeText.message($0)))" } ?? "")
    } + [""]
  }

  private func json(_ report: StatusReport) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.status/1")
      json.member("clean", report.isClean)
      json.member("remote", report.remote)
      json.member("askedRemote", report.askedRemote)
      json.array("entries") { json in
        for entry in report.entries {
          json.object { json in
            json.path("path", entry.path.bytes)
            json.member("state", entry.state.rawValue)
            if let message = entry.message { json.member("message", message) }
          }
        }
      }
    }
    return json.text + "\n"
  }
}
