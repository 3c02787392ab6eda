import ArgumentParser
import DVFile
import DVLineage
import DVObject
import DVRepository
import SystemPackage

struct ModelGetCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Bring a version of a model to where it is needed.",
    discussion: """
      The version is named by number, by alias, or as 'latest'. The content appears under its name when all of it was proved. \
      Exits with 7 if the alias is contested. With the setting model.enforce the policy is asked again about an alias, and dv exits with 1 \
      if something is missing.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("The file or directory to make; the model's own name in this directory if not given.", valueName: "path"))
  var output: PathArgument?

  @Flag(name: .shortAndLong, help: "Replace a file that is there.")
  var force = false

  @Argument(help: ArgumentHelp("The version.", valueName: "name@version"))
  var version: ModelVersionArgument

  func run() async throws {
    let (version, output, force) = (version, output, force)
    let directory = try Here.directory()
    let options = options
    let report = try await PolicyText.refusing(options, as: "get") {
      try await ProgressDisplay(options).show { progress in
        try await GetModel(
          version.name, version.selector, to: output?.path, replaces: force, environment: ProcessEnvironment.all
        ).run(in: try Here.repository(countingIn: progress), from: directory, progress: progress)
      }
    }
    let record = report.record
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.model.get/1")
        json.member("model", record.model.text)
        json.member("version", record.release.description)
        json.member("oid", "sha256:\(record.oid.hex)")
        json.member("size", record.size)
        json.path("path", Array(report.path.rawBytes))
      }
      return try StandardOutput.write(json.text + "\n")
    }
    guard !options.quiet else { return }
    try StandardOutput.write("\(record.model)@\(record.release) is at '\(SafeText.name(Array(report.path.rawBytes)))' (\(ByteCount(record.size))).\n")
  }
}
