import ArgumentParser
import DVFile
import DVObject
import DVRepository
import DVWorkspace
import SystemPackage

struct GetCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Copy data of another repository here, without tracking it.",
    discussion: """
      URL is a folder or anything that git can clone; clones are kept in ~/.cache/dv. PATH is relative to the top of that \
      repository: tracked data, a part of it, a directory with such, or a file of git's. Nothing takes its name before all \
      of it was proved against the pointers.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: "A revision of that repository; if not given, a folder's working tree or a clone's HEAD.")
  var rev: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Where to put it; an existing directory is put into.", valueName: "path"))
  var output: PathArgument?

  @Flag(name: .shortAndLong, help: "Replace what is there.")
  var force = false

  @Argument(help: "The other repository.")
  var url: String

  @Argument(help: "What to copy.")
  var path: PathArgument

  func run() async throws {
    let here = try Here.directory()
    guard let path = TreePath(path.bytes.withoutSlashesAtEnd) else {
      throw RepositoryError(.usage, "'\(SafeText.name(self.path.bytes))' is no path from the top of a repository.")
    }
    let name = path.names.last ?? []
    var place = output.map { here.pushing($0.path).lexicallyNormalized() } ?? here.appending(name: name)
    if output != nil, !force, try place.fileStatFollowingLinks()?.kind == .directory { place = place.appending(name: name) }
    let source = SourceRepository(url, revision: rev, environment: ProcessEnvironment.all)
    let report = try await GetData(path, to: place, replacing: force).run(from: try await source.open(from: here))
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.get/1")
        json.path("path", report.path.rawBytes)
        json.member("kind", report.isDirectory ? "directory" : "file")
        json.member("oid", report.oid?.text)
        json.member("size", report.size)
        json.member("files", report.files)
        json.member("commit", report.commit)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      let of = report.commit.map { " of \($0.prefix(12))" } ?? ""
      try StandardOutput.write(
        "Got '\(SafeText.name(report.path.rawBytes))'\(of): \(Count(report.files).of("file")), \(ByteCount(report.size)).\n")
    }
  }
}

extension [UInt8] {
  /// Without slashes at the end, as shells complete directories.
  var withoutSlashesAtEnd: [UInt8] {
    var bytes = self
    while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    return bytes
  }
}
