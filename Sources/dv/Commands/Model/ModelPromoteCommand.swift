import ArgumentParser
import DVFile
import DVLineage
import DVRepository

struct ModelPromoteCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "promote", abstract: "Give an alias, such as production, to a version of a model.",
    discussion: """
      A version may have several aliases, an alias only one version. Two clones may promote at the same time and both pushes \
      succeed: then the alias is contested, and whoever asks for it is told so until somebody decides with --resolve. If the protected \
      branch has a policy ('.dv/policy.yaml'), it decides first: what is missing is listed, and dv exits with 1.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("Why.", valueName: "text"))
  var message: String?

  @Flag(name: .long, help: "Decide between promotions that contest the alias.")
  var resolve = false

  @Flag(name: .long, help: "Have git sign the tag with your key.")
  var sign = false

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name"))
  var model: ModelArgument

  @Argument(help: ArgumentHelp("The version that gets it, or 'none' to take it away.", valueName: "version"))
  var version: String

  @Argument(help: ArgumentHelp("The alias: production, staging, archived, or any other.", valueName: "alias"))
  var alias: String

  func validate() throws {
    if version != "none", ModelVersion(version) == nil { throw ValidationError("'\(version)' is no version, such as v1.2.0.") }
  }

  func run() async throws {
    let destination: MoveAlias.Destination = ModelVersion(version).map { .version($0) } ?? .nobody
    let operation = MoveAlias(
      model.name, alias, to: destination, reason: message, resolves: resolve, isSigned: sign, environment: ProcessEnvironment.all)
    let report = try await PolicyText.refusing(options, as: "promote") { try await operation.run(in: try Here.repository()) }
    try report.print(options, command: "promote", sentence: report.moveSentence)
  }
}

struct ModelRollbackCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback", abstract: "Give an alias back to the version that had it before.")

  @OptionGroup var options: GlobalOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("Why.", valueName: "text"))
  var message: String?

  @Flag(name: .long, help: "Have git sign the tag with your key.")
  var sign = false

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name"))
  var model: ModelArgument

  @Argument(help: ArgumentHelp("The alias.", valueName: "alias"))
  var alias: String = "production"

  func run() async throws {
    let operation = MoveAlias(model.name, alias, to: .before, reason: message, isSigned: sign, environment: ProcessEnvironment.all)
    let report = try await PolicyText.refusing(options, as: "rollback") { try await operation.run(in: try Here.repository()) }
    try report.print(options, command: "rollback", sentence: report.moveSentence)
  }
}

struct ModelDeprecateCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "deprecate", abstract: "Give a model up: what is registered stays, nothing is added.")

  @OptionGroup var options: GlobalOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("Why.", valueName: "text"))
  var message: String?

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name"))
  var model: ModelArgument

  func run() async throws {
    let report = try await DeprecateModel(model.name, reason: message, environment: ProcessEnvironment.all).run(in: try Here.repository())
    try report.print(options, command: "deprecate", sentence: "The model '\(report.model)' is deprecated.")
  }
}

struct ModelRemoveCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove a tag of the registry on purpose, and keep on record who did and why.",
    discussion: """
      For what should never have been a tag: a promotion is taken back with 'rollback', a model given up with 'deprecate', an approval taken back \
      with 'approve --withdraw'. The tag 'dv/removal/OBJECT' says what was removed and keeps its object; an audit shows it, where a tag that is \
      only deleted counts as altered. A tag that is gone already can be answered for, too. Whoever has an alias after that follows from the moves that are left.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("Why.", valueName: "text"))
  var message: String

  @Flag(name: .long, help: "Have git sign the tag that says so with your key.")
  var sign = false

  @Argument(help: ArgumentHelp("The tag, such as 'churn@v1.0.0' or 'churn#production#3'.", valueName: "tag"))
  var tag: String

  func validate() throws {
    if message.allSatisfy(\.isWhitespace) { throw ValidationError("--message must say why: it is what an audit shows.") }
  }

  func run() async throws {
    let name = tag.hasPrefix("refs/tags/") ? String(tag.dropFirst("refs/tags/".count)) : tag
    let operation = RemoveTag(name, reason: message, isSigned: sign, environment: ProcessEnvironment.all)
    let report = try await operation.run(in: try Here.repository())
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.model.remove/1")
        json.member("tag", report.tag)
        json.member("object", report.object)
        json.member("removal", report.removal)
        json.member("wasHere", report.wasHere)
      }
      return try StandardOutput.write(json.text + "\n")
    }
    guard !options.quiet else { return }
    let done = report.wasHere ? "Removed" : "Put on record the removal of"
    try StandardOutput.write(
      "\(done) '\(SafeText.name(report.tag))' (\(report.object.prefix(12))).\nShare it: git push origin '\(report.removal)' ':refs/tags/\(SafeText.name(report.tag))'\n")
  }
}

extension TagReport {
  fileprivate var moveSentence: String {
    let alias = alias ?? ""
    let before = previous.map { " (before: \($0))" } ?? ""
    return release.map { "\(model)@\($0) is '\(alias)' now\(before)." } ?? "No version of \(model) is '\(alias)' now\(before)."
  }
}
