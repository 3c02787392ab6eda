import ArgumentParser
import DVObject
import DVRepository
import DVWorkspace

struct DiskUsageCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "du", abstract: "Show how large data is, and what it takes in the local store.",
    discussion: """
      'Stored' counts each object once, as it is compressed; 'shared' is what of that the lines above use too. So \
      'dv du --history data' shows what each version costs beyond those after it.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Show every version in the history of HEAD, or of the revision, too.")
  var history = false

  @Argument(help: ArgumentHelp("What to measure; all tracked data if not given.", valueName: "[rev:]path"))
  var locations: [PathArgument] = []

  func run() async throws {
    let (locations, history) = (locations, history)
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      let repository = try Here.repository()
      let directory = try Here.directory()
      let places = try locations.map { try repository.location($0.bytes, from: directory) }
      return try await DiskUsage(places, includesHistory: history).run(in: repository, progress: progress)
    }
    try StandardOutput.write(options.json ? json(report) : text(report))
    if let first = report.unreadable.first { throw RepositoryError(.conflict, first.message) }
  }

  private func text(_ report: DiskUsage.Report) -> String {
    guard !report.rows.isEmpty else { return "dv tracks nothing here.\n" }
    var table = Table(.right, .right, .right, .right, .left)
    table.append("size", "files", "stored", "shared", "")
    for row in report.rows {
      let name = (row.revision.map { SafeText.name($0) + ":" } ?? "") + SafeText.name(row.path.bytes)
      let absent = row.absent > 0 ? "  (\(ByteCount(row.absent)) not held here)" : ""
      table.append(
        "\(ByteCount(row.size))", "\(Count(row.files))", "\(ByteCount(row.stored))", "\(ByteCount(row.shared))",
        name + (row.isDirectory ? "/" : "") + absent)
    }
    var lines = table.lines
    if report.rows.count > 1 {
      let size = report.rows.clampedSum(\.size)
      lines.append(
        "\(ByteCount(size)) in \(Count(UInt64(report.rows.count)).of("version")), stored in \(ByteCount(report.stored))."
      )
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func json(_ report: DiskUsage.Report) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.du/1")
      json.array("versions") { json in
        for row in report.rows {
          json.object { json in
            json.member("revision", row.revision)
            json.path("path", row.path.bytes)
            json.member("size", row.size)
            json.member("files", row.files)
            json.member("stored", row.stored)
            json.member("shared", row.shared)
            json.member("absent", row.absent)
          }
        }
      }
      json.member("stored", report.stored)
    }
    return json.text + "\n"
  }
}
