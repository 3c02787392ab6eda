import ArgumentParser
import DVObject
import DVRepository
import DVStore

struct RemoteRetireCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "retire", abstract: "Say which versions a remote need not keep any more.",
    discussion: """
      Nothing is deleted now: one grace later (gc.remoteGrace, 7 days) 'dv gc --remote' frees what only retired versions need. \
      Until then pushing a version again keeps it. Without --yes it only says what it would do.

      Versions are named by oid, the beginning of one, or as REV:PATH. Without names, those are retired that no commit, \
      branch, tag, stash, index or pointer of this clone needs (with --rev: of history, only what those revisions, registered \
      versions and pins need stays), that were pushed more than --older-than ago, and of which the local store or another \
      remote has a copy. A version with no other known copy goes only if it is named.
      """)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The remote's name.")
  var name: String

  @Argument(help: ArgumentHelp("Versions to retire.", valueName: "oid|[rev:]path"))
  var versions: [String] = []

  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp("Keep, of the history, the data of this revision only; can be repeated.", valueName: "revision"))
  var rev: [String] = []

  @Option(name: .long, help: ArgumentHelp("Keep what was pushed less long ago: a number with d, w or h.", valueName: "age"))
  var olderThan: String?

  @Flag(name: .long, help: "Do it.")
  var yes = false

  func validate() throws {
    if !versions.isEmpty, !rev.isEmpty || olderThan != nil {
      throw ValidationError("--rev and --older-than choose versions, and so exclude naming them.")
    }
    if let olderThan, GracePeriod(olderThan) == nil {
      throw ValidationError("--older-than is '\(olderThan)': give a number of days, or a number with w, d, h, m or s.")
    }
  }

  func run() async throws {
    let age = olderThan.flatMap { GracePeriod($0) } ?? RetireRoots.standardAge
    let operation = RetireRoots(
      on: name, named: versions, from: try Here.directory(), keeping: rev, olderThan: age, isDryRun: !yes)
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      try await operation.run(in: try Here.repository(), progress: progress)
    }
    if options.json {
      try StandardOutput.write(json(report))
    } else if !options.quiet {
      try StandardOutput.write(text(report))
    }
  }

  private func text(_ report: RetireRoots.Report) -> String {
    func line(_ version: RetireRoots.Version) -> String {
      "  \(version.oid.shortHex)  \(DateText.day(version.time))  \(ByteCount(version.size))  "
        + (version.path.map { SafeText.name($0) } ?? "(no path here)") + "\n"
    }
    func count(_ number: Int) -> String { Count(UInt64(number)).of("version") }
    var text = ""
    if !report.lastCopies.isEmpty {
      text += "Kept, because no other copy is known; they go only if they are named:\n"
      text += report.lastCopies.prefix(20).map(line).joined()
      if report.lastCopies.count > 20 { text += "  … and \(count(report.lastCopies.count - 20)) more\n" }
    }
    if !report.young.isEmpty { text += "Kept \(count(report.young.count)) that nothing here needs and that were pushed not long ago.\n" }
    if report.retired.isEmpty { return text + "Nothing to retire.\n" }
    text += report.isDryRun ? "Would retire:\n" : "Retired:\n"
    text += report.retired.map(line).joined()
    text += report.isDryRun
      ? "Nothing was changed. With --yes, 'dv gc --remote' may free them in \(TimeSpan(seconds: report.grace.seconds)).\n"
      : "'dv gc --remote \(SafeText.name(report.remote.name))' may free them in \(TimeSpan(seconds: report.grace.seconds)).\n"
    return text
  }

  private func json(_ report: RetireRoots.Report) -> String {
    func write(_ versions: [RetireRoots.Version], _ json: inout JSONText) {
      for version in versions {
        json.object { json in
          json.member("oid", version.oid.text)
          json.member("kind", version.kind.rawValue)
          json.member("size", version.size)
          json.member("pushed", version.time)
          json.member("path", version.path)
        }
      }
    }
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.remote.retire/1")
      json.member("remote", report.remote.name)
      json.member("dryRun", report.isDryRun)
      json.member("graceSeconds", report.grace.seconds)
      json.array("retired") { json in write(report.retired, &json) }
      json.array("lastCopies") { json in write(report.lastCopies, &json) }
      json.array("young") { json in write(report.young, &json) }
      json.member("kept", report.kept)
    }
    return json.text + "\n"
  }
}
