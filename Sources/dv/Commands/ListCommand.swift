import ArgumentParser
import DVObject
import DVRepository
import DVWorkspace

struct ListCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List tracked data, of any version, checked out or not.",
    discussion: """
      REV:PATH is a path at a revision of git, PATH alone what the pointers in the working tree say. The path may lie \
      inside a tracked directory; 'dv ls HEAD~3:' lists all data of a commit. What the local store does not have is \
      read from the default remote.
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var source: SourceOptions

  @Flag(name: [.customShort("R"), .customLong("recursive")], help: "List what is in directories too.")
  var isRecursive = false

  @Flag(name: [.customShort("l"), .customLong("long")], help: "Show kind, size and oid too.")
  var isLong = false

  @Argument(help: ArgumentHelp("What to list; the current directory if not given.", valueName: "[rev:]path"))
  var location = PathArgument(argument: ".")

  func run() async throws {
    let (repository, location) = try await source.location(location)
    let operation = ListData(location, isRecursive: isRecursive)
    let unreadable: [UnreadablePointer]
    if options.json {
      var list = try JSONList(schema: "dv.ls/1", "entries")
      unreadable = try await operation.run(in: repository) { entry in
        try list.append { json in
          json.path("path", entry.path.bytes)
          json.member("kind", entry.mode.text)
          json.member("oid", entry.oid.text)
          json.member("size", entry.size)
          json.member("files", entry.files)
          json.member("target", entry.isTarget)
        }
      }
      try list.finish()
    } else {
      var output = OutputBuffer()
      do {
        unreadable = try await operation.run(in: repository) { try output.append(line(for: $0)) }
      } catch {
        try output.flush()
        throw error
      }
      try output.flush()
    }
    if let first = unreadable.first { throw RepositoryError(.conflict, first.message) }
  }

  private func line(for entry: ListData.Entry) -> String {
    let name = SafeText.name(entry.path.bytes) + (entry.mode == .directory ? "/\n" : "\n")
    guard isLong else { return name }
    let size = "\(ByteCount(entry.size))"
    let padding = String(repeating: " ", count: max(0, 8 - size.count))
    let files = entry.mode == .directory ? "\(Count(entry.files).of("file"))  " : ""
    let kind = entry.mode.text + (entry.mode == .directory ? " " : "")
    return "\(kind)  \(entry.oid.shortHex)  \(padding)\(size)  \(files)\(name)"
  }
}
