import ArgumentParser
import DVRepository
import SystemPackage

struct AuditExportCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Pack what proves where a model version came from into one archive.",
    discussion: """
      The archive is a tar file with the tag, its commit and the way to the pointer as git objects, the records of all runs behind \
      it, their environments and code. Data is named by its hashes and not contained. 'dv audit --archive FILE' verifies it on \
      any machine, without the repository.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write it.", valueName: "file"))
  var output: PathArgument?

  @Argument(help: "MODEL@VERSION or MODEL@ALIAS.")
  var target: PathArgument

  func run() async throws {
    let name = String(decoding: target.bytes, as: UTF8.self).replacing("/", with: "-") + ".audit.tar"
    let file = output?.path ?? FilePath(name)
    let report = try await ExportAudit(target.bytes, to: file, from: try Here.directory()).run(in: try Here.repository())
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.audit.export/1")
        json.member("file", file.string)
        json.member("tag", report.tag)
        json.member("object", report.object)
        json.member("records", report.records)
        json.member("objects", report.objects)
        json.member("bytes", report.bytes)
        json.array("leftOut") { json in for text in report.leftOut { json.value(text) } }
      }
      return try StandardOutput.write(json.text + "\n")
    }
    for text in report.leftOut { StandardError.write(SafeText.message("warning: left out: \(text)\n")) }
    try StandardOutput.write(
      "Wrote '\(SafeText.name(file.string))' (\(ByteCount(UInt64(report.bytes)))): \(Count(UInt64(report.records)).of("record")), \(Count(UInt64(report.objects)).of("object")); tag object \(report.object).\n")
  }
}
