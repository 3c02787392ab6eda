import ArgumentParser
import DVObject
import DVRepository
import DVWorkspace

struct LogCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Show the versions of data across commits, the newest first.",
    discussion: "With sizes, how many files changed, who committed it, and the run that made it. 'dv who' is the same.",
    aliases: ["who"])

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Look at all branches and tags, not only at what HEAD follows.")
  var all = false

  @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Only so many, the newest.", valueName: "number"))
  var limit: Int?

  @Argument(help: "Data, or a directory with data below; the whole repository if not given.")
  var path: PathArgument?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is at least 1.") }
  }

  func run() async throws {
    let repository = try Here.repository()
    let path = try path.map { try repository.treePath($0.path, from: Here.directory()) } ?? .root
    let entries = try await TellHistory(path, isEverything: all, limit: limit).run(in: repository)
    if options.json {
      var list = try JSONList(schema: "dv.log/1", "entries")
      for entry in entries {
        try list.append { json in
          json.member("commit", entry.commit)
          json.member("time", entry.time)
          json.member("author", entry.author)
          json.member("subject", entry.subject)
          json.member("path", entry.path)
          json.member("oid", entry.oid?.text)
          json.member("kind", entry.kind)
          json.member("size", entry.oid == nil ? nil : entry.size)
          json.member("files", entry.oid == nil ? nil : entry.files)
          json.member("run", entry.run?.text)
          if let difference = entry.difference {
            json.member("added", difference.added)
            json.member("removed", difference.removed)
            json.member("changed", difference.changed)
          }
        }
      }
      return try list.finish()
    }
    let isOne = Set(entries.map(\.path)).count == 1
    var output = OutputBuffer()
    for entry in entries {
      var line = "\(entry.commit.prefix(10))  \(DateText.day(UInt64(clamping: entry.time)))  "
      if !isOne { line += SafeText.name(entry.path) + "  " }
      if let oid = entry.oid {
        line += "\(oid.shortHex)  \(ByteCount(UInt64(clamping: entry.size)))"
        if entry.kind == "tree" { line += " in \(Count(UInt64(clamping: entry.files)).of("file"))" }
        if let difference = entry.difference, entry.kind == "tree" {
          line += "  +\(difference.added) -\(difference.removed) ~\(difference.changed)"
        }
      } else {
        line += "removed"
      }
      if let run = entry.run { line += "  run \(run.shortHex)" }
      try output.append(line + "  \(SafeText.name(entry.author))  \(SafeText.name(entry.subject))\n")
    }
    try output.flush()
  }
}
