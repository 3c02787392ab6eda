import ArgumentParser
import DVObject
import DVRepository
import DVWorkspace

struct AddCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Track files and directories, or take over what changed in them.",
    discussion: """
      Stores the content, writes a pointer PATH.dv beside it, tells git to ignore PATH, and stages both. A path inside a \
      tracked directory adds that part alone; one that was deleted is taken out of the directory's version.
      """)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "Files or directories.")
  var paths: [PathArgument]

  func run() async throws {
    let paths = paths
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      let repository = try Here.repository()
      return try await AddData(try Here.treePaths(paths, in: repository)).run(in: repository, progress: progress)
    }
    if options.json {
      try StandardOutput.write(json(report))
    } else if !options.quiet {
      try StandardOutput.write(report.items.map { text($0) + "\n" }.joined())
    }
  }

  private func text(_ item: AddReport.Item) -> String {
    let name = SafeText.name(item.path.bytes)
    var line: String
    if item.isRemoval {
      line = "Removed '\(name)' from '\(SafeText.name(item.pointerPath.bytes))': \(item.pointer.sizeText) left."
    } else if item.isChanged {
      line = "Added '\(name)', \(item.pointer.sizeText): "
      line += item.newBytes == 0 ? "nothing new to store." : "\(ByteCount(item.storedBytes)) new after dedup and compression."
    } else {
      line = "'\(name)' is unchanged."
    }
    if item.lostRun { line += "\nIt is not what its run made any more: the pointer names no run now." }
    return line
  }

  private func json(_ report: AddReport) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.add/1")
      json.array("added") { json in
        for item in report.items {
          json.object { json in
            json.path("path", item.path.bytes)
            json.path("pointer", item.pointerPath.bytes)
            json.member("kind", item.pointer.kind.text)
            json.member("oid", item.pointer.oid.text)
            json.member("size", item.pointer.size)
            json.member("files", item.pointer.files ?? 1)
            json.member("newBytes", item.newBytes)
            json.member("storedBytes", item.storedBytes)
            json.member("changed", item.isChanged)
            json.member("removed", item.isRemoval)
            json.member("lostRun", item.lostRun)
          }
        }
      }
    }
    return json.text + "\n"
  }
}
