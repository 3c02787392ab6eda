import ArgumentParser
import DVFile
import DVLineage
import DVRepository
import DVWorkspace

struct ModelRegisterCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "register", abstract: "Make tracked data of the commit that is checked out a version of a model.",
    discussion: """
      The commit must hold the pointer as it is now and, if a run made the data, the run's record: then the tag leads to \
      code, data, parameters and metrics for ever.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: ArgumentHelp("The version it becomes.", valueName: "v1.2.0"))
  var version: String?

  @Option(name: .long, help: ArgumentHelp("Count the last version up: major, minor or patch (what happens without --version, too).", valueName: "part"))
  var bump: String?

  @Option(name: .long, help: ArgumentHelp("What people should know of it.", valueName: "text"))
  var describe: String?

  @Flag(name: .long, help: "Have git sign the tag with your key.")
  var sign = false

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name"))
  var model: ModelArgument

  @Argument(help: ArgumentHelp("The file or directory, tracked by dv.", valueName: "path"))
  var path: PathArgument

  func validate() throws {
    if version != nil, bump != nil { throw ValidationError("--version and --bump exclude each other.") }
    _ = try choice()
  }

  private func choice() throws -> RegisterModel.Choice {
    if let version {
      guard let version = ModelVersion(version) else { throw ValidationError("'\(version)' is no version, such as v1.2.0.") }
      return .exactly(version)
    }
    guard let part = ModelVersion.Part(rawValue: bump ?? "patch") else {
      throw ValidationError("--bump counts up 'major', 'minor' or 'patch'.")
    }
    return .next(part)
  }

  func run() async throws {
    let repository = try Here.repository()
    guard let path = try Here.treePaths([path], in: repository).first else { return }
    let report = try await RegisterModel(
      model.name, path, choice(), description: describe, isSigned: sign, environment: ProcessEnvironment.all
    ).run(in: repository)
    // The commit counts, whatever is on disk; that is not what everybody expects.
    let status = try? await ReportStatus([path]).run(in: repository, progress: ProgressSink())
    if status?.entries.contains(where: { [.modified, .untrackedInside, .deletedInside].contains($0.state) }) == true {
      ValuesRendering.warn(["'\(path)' differs from the commit, and what the commit has is registered. 'dv add' or 'dv repro', then 'git commit', for another version."])
    }
    try report.print(
      options, command: "register",
      sentence: "Registered '\(SafeText.name(path.bytes))' of commit \(report.commit.prefix(12)) as \(report.model)@\(report.release?.description ?? "").")
  }
}
