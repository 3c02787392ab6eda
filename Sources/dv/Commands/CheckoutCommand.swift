import ArgumentParser
import DVRepository
import DVWorkspace

struct CheckoutCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkout", abstract: "Make the data on disk what its pointers say.",
    discussion: """
      Data that was modified and never added is not overwritten, and nothing is changed then. Without a path, data whose \
      pointer went with another branch is removed too, if it is unmodified. What the local store lacks, 'dv pull' fetches.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .shortAndLong, help: "Overwrite data that was modified.")
  var force = false

  @Argument(help: "What to check out, also inside tracked directories; all tracked data if not given.")
  var paths: [PathArgument] = []

  func run() async throws {
    let (paths, force) = (paths, force)
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      let repository = try Here.repository()
      let operation = CheckOutData(try Here.treePaths(paths, in: repository), isForced: force)
      return try await operation.run(in: repository, progress: progress)
    }
    if options.json {
      try StandardOutput.write(json(report))
    } else if !options.quiet {
      try StandardOutput.write(text(report))
    }
    try report.throwFailures()
  }

  private func text(_ report: CheckOutReport) -> String {
    var lines = report.items.map { item in
      var parts: [String] = []
      if item.filesWritten > 0 {
        parts.append("\(Count(UInt64(item.filesWritten)).of("file")) written (\(ByteCount(item.bytesWritten)))")
      }
      if item.filesRemoved > 0 { parts.append("\(Count(UInt64(item.filesRemoved)).of("file")) removed") }
      return "'\(SafeText.name(item.path.bytes))': \(parts.isEmpty ? "brought up to date" : parts.joined(separator: ", "))."
    }
    lines += report.changed.map { "'\(SafeText.name($0.bytes))' has changes of yours, which stay ('dv status' shows them)." }
    lines += report.removed.map { "'\(SafeText.name($0.bytes))' was removed: its pointer went with another branch." }
    lines += report.kept.map { kept in
      "'\(SafeText.name(kept.path.bytes))' has no pointer any more and stays: \(SafeText.message(kept.reason))."
    }
    if lines.isEmpty, report.failures.isEmpty {
      lines.append(report.unchanged == 0 ? "dv tracks nothing here." : "All data is what its pointers say.")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func json(_ report: CheckOutReport) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.checkout/1")
      json.array("changed") { json in
        for item in report.items {
          json.object { json in
            json.path("path", item.path.bytes)
            json.member("filesWritten", item.filesWritten)
            json.member("bytesWritten", item.bytesWritten)
            json.member("filesRemoved", item.filesRemoved)
          }
        }
      }
      json.member("unchanged", report.unchanged)
      json.array("modified") { json in
        for path in report.changed { json.object { $0.path("path", path.bytes) } }
      }
      json.array("removed") { json in
        for path in report.removed { json.object { $0.path("path", path.bytes) } }
      }
      json.array("kept") { json in
        for kept in report.kept {
          json.object { json in
            json.path("path", kept.path.bytes)
            json.member("reason", kept.reason)
          }
        }
      }
      json.array("failed") { json in
        for failure in report.failures {
          json.object { json in
            json.path("path", failure.path.bytes)
            json.member("exitCode", failure.error.exitCode.rawValue)
            json.member("message", failure.error.message)
          }
        }
      }
    }
    return json.text + "\n"
  }
}

extension CheckOutReport {
  /// Throws if something could not be delivered: all messages, with the code of the gravest.
  ///
  /// Damage is graver than absence, and both are graver than a file that was in the way.
  func throwFailures() throws {
    guard !failures.isEmpty else { return }
    let codes = Set(failures.map(\.error.exitCode))
    let gravest = [ExitCode.corrupt, .missing, .unreachable, .conflict].first { codes.contains($0) } ?? .usage
    let shown = failures.prefix(20).map(\.error.message).joined(separator: "\n")
    let more = failures.count > 20 ? "\n… and \(failures.count - 20) more." : ""
    throw UndeliveredData(
      message: shown + more, remedy: failures.first { $0.error.exitCode == gravest }?.error.remedy, exitCode: gravest)
  }
}

/// Some of the data could not be delivered; the rest was.
struct UndeliveredData: ReportedError {
  /// What to do about what was erased.
  static let erasedRemedy = "'dv rm' takes what was erased out of the next version."

  let message: String
  let remedy: String?
  let exitCode: ExitCode
}
