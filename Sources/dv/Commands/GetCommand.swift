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

  @OptionGroup var upstream: UpstreamOptions
  @OptionGroup var destination: PlaceOptions

  func run() async throws {
    let here = try Here.directory()
    let (path, name) = try upstream.source(destination)
    let force = destination.force
    var place = destination.output.map { here.pushing($0.path).lexicallyNormalized() } ?? here.appending(name: name)
    if destination.output != nil, !force, !name.isEmpty, try place.fileStatFollowingLinks()?.kind == .directory {
      place = place.appending(name: name)
    }
    let source = SourceRepository(upstream.url, revision: upstream.rev, environment: ProcessEnvironment.all)
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
