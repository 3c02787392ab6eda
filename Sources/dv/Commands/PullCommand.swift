import ArgumentParser
import DVRepository
import DVWorkspace

struct PullCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Fetch data from a remote and put it into the working tree.",
    discussion: """
      Data that was modified and never added is not overwritten, and nothing in the working tree is changed then. Every \
      file is proved against its pointer before it is put in place; what cannot be delivered is named, and all else is.
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var share: ShareOptions

  @Flag(name: .shortAndLong, help: "Overwrite data that was modified.")
  var force = false

  @Argument(help: "What to pull, also inside tracked directories; all tracked data if not given.")
  var targets: [PathArgument] = []

  func run() async throws {
    let (targets, share, force) = (targets, share, force)
    let report = try await ProgressDisplay(options).show { progress in
      let repository = try Here.repository(countingIn: progress)
      let paths = try Here.treePaths(targets, in: repository)
      return try await PullData(
        paths, scope: share.scope, from: share.remote, width: share.jobs, isForced: force
      ).run(in: repository, progress: progress)
    }
    if options.json {
      try StandardOutput.write(json(report))
    } else if !options.quiet {
      try StandardOutput.write(text(report))
    }
    try throwFailures(report)
  }

  private func text(_ report: PullData.Report) -> String {
    let checkout = report.checkedOut
    let files = checkout.items.reduce(UInt64(0)) { $0 + UInt64($1.filesWritten) }
    let bytes = checkout.items.reduce(UInt64(0)) { $0 + $1.bytesWritten }
    let removed = checkout.items.reduce(UInt64(0)) { $0 + UInt64($1.filesRemoved) }
    var lines: [String] = []
    if !report.fetched.fresh.isEmpty { lines += report.fetched.summary(verb: "Fetched") }
    var parts: [String] = []
    if files > 0 { parts.append("\(Count(files).of("file")) written (\(ByteCount(bytes)))") }
    if removed > 0 { parts.append("\(Count(removed).of("file")) removed") }
    if !parts.isEmpty { lines.append("Checked out \(Count(UInt64(checkout.items.count)).of("target")): \(parts.joined(separator: ", ")).") }
    lines += checkout.removed.map { "'\(SafeText.name($0.bytes))' was removed: its pointer went with another branch." }
    lines += checkout.kept.map {
      "'\(SafeText.name($0.path.bytes))' has no pointer any more and stays: \(SafeText.message($0.reason))."
    }
    if lines.isEmpty, report.fetched.failures.isEmpty, checkout.failures.isEmpty {
      lines = report.fetched.summary(verb: "Fetched")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// What checking out could not deliver and fetching did not name.
  private func others(_ report: PullData.Report) -> [CheckoutFailure] {
    let named = Set(report.fetched.failures.map(\.path))
    return report.checkedOut.failures.filter { failure in
      let path = failure.path.description
      return !named.contains(path) && !named.contains { $0.hasPrefix(path + "/") || $0 == path + ".dv" }
    }
  }

  private func json(_ report: PullData.Report) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.pull/1")
      report.fetched.write(to: &json)
      json.array("changed") { json in
        for item in report.checkedOut.items {
          json.object { json in
            json.path("path", item.path.bytes)
            json.member("filesWritten", item.filesWritten)
            json.member("bytesWritten", item.bytesWritten)
            json.member("filesRemoved", item.filesRemoved)
          }
        }
      }
      json.array("failed") { json in
        report.fetched.writeFailures(to: &json)
        for failure in others(report) {
          json.object { json in
            json.path("path", failure.path.bytes)
            json.member("kind", failure.error.cause is ErasedContent ? "erased" : failure.error.exitCode == .corrupt ? "corrupt" : failure.error.exitCode == .missing ? "missing" : "checkout")
            json.member("oid", String?.none)
            json.member("where", "the local store")
            json.member("message", failure.error.message)
          }
        }
      }
    }
    return json.text + "\n"
  }

  private func throwFailures(_ report: PullData.Report) throws {
    let others = others(report)
    let lines = report.fetched.failureLines + others.map(\.error.message)
    guard !lines.isEmpty else { return }
    throw UndeliveredData(
      lines, codes: report.fetched.failureCodes.union(others.map(\.error.exitCode)), verb: "pulled",
      isErased: report.fetched.failures.allSatisfy { $0.kind == .erased } && others.allSatisfy { $0.error.cause is ErasedContent })
  }
}
