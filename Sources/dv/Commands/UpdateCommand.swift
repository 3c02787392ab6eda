import ArgumentParser
import DVFile
import DVObject
import DVRepository
import DVWorkspace

struct UpdateCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Bring imported data up to date with where it came from.",
    discussion: """
      Looks at the sources of data that 'dv import' and 'dv import-url' brought in, and fetches what changed there. Without a target, \
      all imported data of the working tree. Pointers and records are staged. An import at a branch follows the branch, one at a commit or \
      tag stays until --rev names another. Data that was changed here is replaced only with --force.
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var bucket: ImportBucketOptions

  @Option(name: .long, help: "A revision of the other repository to follow from now on.")
  var rev: String?

  @Flag(name: .shortAndLong, help: "Replace what was changed here.")
  var force = false

  @Flag(name: .long, help: "Say what would be updated, and change nothing.")
  var dryRun = false

  @Argument(help: "What to update; all imported data if not given.")
  var targets: [PathArgument] = []

  func validate() throws {
    if rev != nil, targets.isEmpty { throw ValidationError("--rev needs the data it is meant for.") }
  }

  func run() async throws {
    let (targets, rev, force, dryRun, bucket) = (targets, rev, force, dryRun, bucket.value)
    let items = try await ProgressDisplay(options).show { progress in
      let repository = try Here.repository(countingIn: progress)
      return try await UpdateImports(
        try Here.treePaths(targets, in: repository), to: rev, isForced: force, isDryRun: dryRun, bucket: bucket,
        environment: ProcessEnvironment.all
      ).run(in: repository, progress: progress)
    }
    if options.json {
      try StandardOutput.write(json(items))
    } else if !options.quiet {
      let lines = items.isEmpty ? ["Nothing here was imported."] : items.filter { $0.error == nil }.map(line)
      try StandardOutput.write(lines.map { $0 + "\n" }.joined())
    }
    let failures = items.filter { $0.error != nil }
    for failure in failures.dropFirst() { if let error = failure.error { StandardError.write(ErrorText(error).text) } }
    if let error = failures.first?.error { throw error }
  }

  private func line(_ item: UpdateImports.Item) -> String {
    let name = "'\(SafeText.name(item.path.bytes))'"
    let from = item.origin.text
    return switch item.state {
    case .updated: "Updated \(name), \(item.report?.pointer.sizeText ?? ""), from \(from)."
    case .current: "\(name) is up to date with \(from)."
    case .outdated: "\(name) would be updated from \(from)."
    case .unknown: "\(name) may have changed: \(from)."
    case .failed: "\(name) could not be updated."
    }
  }

  private func json(_ items: [UpdateImports.Item]) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.update/1")
      json.member("dryRun", dryRun)
      json.array("items") { json in
        for item in items {
          json.object { json in
            json.path("path", item.path.bytes)
            json.member("state", item.state.rawValue)
            json.object("source") { item.origin.write(to: &$0) }
            if let report = item.report {
              json.member("oid", report.pointer.oid.text)
              json.member("previous", report.previous?.oid.text)
              json.member("size", report.pointer.size)
              json.member("record", report.record.text)
            }
            if let error = item.error { json.member("error", "\(error)") }
          }
        }
      }
    }
    return json.text + "\n"
  }
}
