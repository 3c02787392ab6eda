import ArgumentParser
import DVFile
import DVLineage
import DVObject
import DVRepository
import DVWorkspace
import SystemPackage

struct RunsAdoptCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "adopt", abstract: "Take a run home that was made where there is no clone.",
    discussion: """
      Takes what 'dv run --bundle' or 'dv run --remote' recorded: proves every byte by its digest, puts the outputs into their \
      places with pointers that name the run, and stages these and the record; 'git commit' makes them part of the history. Of \
      a run that failed only the record is taken. Who made the run is what the record says: take it from people you trust. \
      Says whether the code that ran is that of the commit it names. Nothing of yours is replaced unasked.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("Look for the run on this remote instead of the default one.", valueName: "remote"))
  var remote: String?

  @Flag(name: .shortAndLong, help: "Replace files that are in the way, whose bytes are kept in the store, and take data of any size.")
  var force = false

  @Argument(help: "The bundle, or the start of the run's ID.")
  var run: String

  private var source: AdoptRun.Source {
    get throws {
      let path = try Here.directory().pushing(FilePath(run))
      if remote == nil, let bundle = try [path, killed(path)].first(where: { try $0.fileStatFollowingLinks()?.kind == .regular }) {
        return .bundle(bundle)
      }
      return .remote(remote, run: run)
    }
  }

  /// Where a run whose dv was killed has its bundle once more is known of it than that it started.
  private func killed(_ path: FilePath) -> FilePath {
    guard let name = path.lastComponent?.string, let mark = name.ranges(of: ".started-").last else { return path }
    return path.containingDirectory.appending(name[..<mark.lowerBound] + ".killed-" + name[mark.upperBound...])
  }

  func run() async throws {
    let progress = ProgressSink()
    let repository = try Here.repository(countingIn: progress)
    let narration = RunNarration(isQuiet: options.quiet, prefixes: false, usesErrors: true)
    let operation = AdoptRun(try source, isForced: force, environment: ProcessEnvironment.all)
    let report = try await operation.run(in: repository, output: narration.output, progress: progress)
    if options.json { return try write(report) }
    guard !options.quiet else { return }
    try StandardOutput.write(lines(report).map { $0 + "\n" }.joined())
  }

  private func lines(_ report: AdoptRun.Report) -> [String] {
    let run = report.run
    let stage = run.stage.map { " of '\(SafeText.name($0))'" } ?? ""
    let author = run.user.map { SafeText.name($0) } ?? "somebody who is not named"
    var lines = [
      "\(report.wasKnown ? "Took again" : "Adopted") run \(report.id.shortHex)\(stage): \(RunEndText(run)); its author is \(author). "
        + "Proved \(Count(UInt64(report.objects)).of("object")), \(ByteCount(report.bytes))."
    ]
    if !report.outputs.isEmpty {
      let names = report.outputs.prefix(20).map { SafeText.name($0.bytes) }.joined(separator: ", ")
      lines.append("Put into place: \(names)\(report.outputs.count > 20 ? " …" : "")")
    }
    for path in report.withoutContent { lines.append("Of '\(SafeText.name(path.bytes))' only the digest is recorded.") }
    lines.append(code(report.code))
    return lines
  }

  private func code(_ check: AdoptRun.CodeCheck?) -> String {
    guard let check else { return "It does not say from which commit it was made." }
    let commit = check.commit.prefix(12)
    guard check.isKnown else { return "It says that it was made from commit \(commit), which is not in this clone: 'git fetch' may bring it." }
    let lacking = check.absent.isEmpty ? "" : " \(Count(UInt64(check.absent.count)).of("file")) of the commit were not there."
    guard let first = check.differing.first else { return "Its code is that of commit \(commit).\(lacking)" }
    let more = check.differing.count > 1 ? " and \(check.differing.count - 1) more" : ""
    return "Its code is not that of commit \(commit): '\(SafeText.name(first.bytes))'\(more).\(lacking)"
  }

  private func write(_ report: AdoptRun.Report) throws {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.runs.adopt/1")
      RunText(id: report.id, run: report.run).write(to: &json)
      json.member("wasKnown", report.wasKnown)
      json.array("placed") { json in
        for path in report.outputs { json.value(path.description) }
      }
      json.array("withoutContent") { json in
        for path in report.withoutContent { json.value(path.description) }
      }
      json.member("objects", report.objects)
      json.member("bytes", report.bytes)
      if let check = report.code {
        json.object("code") { json in
          json.member("commit", check.commit)
          json.member("known", check.isKnown)
          json.array("differing") { json in
            for path in check.differing { json.value(path.description) }
          }
          json.array("absent") { json in
            for path in check.absent { json.value(path.description) }
          }
        }
      }
    }
    try StandardOutput.write(json.text + "\n")
  }
}
