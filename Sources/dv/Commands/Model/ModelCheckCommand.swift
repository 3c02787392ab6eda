import ArgumentParser
import DVFile
import DVLineage
import DVObject
import DVRepository

struct ModelCheckCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Ask the policy whether a version may have an alias.",
    discussion: """
      TARGET is the tag that gives the alias, NAME@ALIAS for who has it now, or NAME@VERSION with --alias for what a promotion would need. \
      The policy is '.dv/policy.yaml' at the tip of the protected branch. Exits with 1 if something is missing: for CI, which \
      should run it for each tag that is pushed.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: ArgumentHelp("The alias that a version is to have.", valueName: "alias"))
  var alias: String?

  @Argument(help: ArgumentHelp("A tag, a version or an alias.", valueName: "target"))
  var target: String

  func validate() throws { _ = try question() }

  private func question() throws -> CheckModel.Target {
    let text = target.hasPrefix("refs/tags/") ? String(target.dropFirst("refs/tags/".count)) : target
    if alias == nil, let tag = RegistryTag(text), tag.counter != nil {
      switch tag.action {
      case .assign, .unassign: return .tag(tag)
      default: break
      }
    }
    guard let version = ModelVersionArgument(argument: text) else {
      throw ValidationError("'\(SafeText.message(target))' is neither a tag that gives an alias nor NAME@ALIAS.")
    }
    if let alias { return .version(version.name, version.selector, alias: alias) }
    guard ModelVersion(version.selector) == nil, version.selector != "latest" else {
      throw ValidationError("A version may have many aliases: name one with --alias.")
    }
    return .alias(version.name, version.selector)
  }

  func run() async throws {
    let report = try await CheckModel(question(), environment: ProcessEnvironment.all).run(in: try Here.repository())
    let text = PolicyText(report)
    if options.json {
      try StandardOutput.write(text.json(command: "check"))
    } else if !options.quiet {
      try StandardOutput.write(text.lines.map { $0 + "\n" }.joined())
    }
    if !report.isFulfilled { throw ExitCode.no }
  }
}

struct ModelApproveCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Sign that a version may take an alias, or take that back.",
    discussion: """
      The approval is a git tag at the version's commit, signed with an EC key (P-256, P-384, P-521) in PEM. It counts where a policy \
      asks for approvals and the public key is in the trust store of whoever checks. What one registered, promotes or signed oneself \
      one cannot approve of. --withdraw takes back what the key, or another of the same person, approved of until now: for the alias, or \
      without --alias all of the version; both stay to be seen, and one may approve again later.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: ArgumentHelp("The alias that it is for; any if not given.", valueName: "alias"))
  var alias: String?

  @Flag(name: .long, help: "Take an approval back.")
  var withdraw = false

  @Option(name: .long, help: ArgumentHelp("The private key, in PEM.", valueName: "file"))
  var key: PathArgument

  @Option(name: .shortAndLong, help: ArgumentHelp("Why.", valueName: "text"))
  var message: String?

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name"))
  var model: ModelArgument

  @Argument(help: ArgumentHelp("The version, or an alias that it has.", valueName: "version"))
  var version: String

  func run() async throws {
    let key = try SigningKey(pem: KeyFile.text(key, in: try Here.directory()))
    let report = try await ApproveModel(
      model.name, version, for: alias, key: key, reason: message, withdraws: withdraw, environment: ProcessEnvironment.all
    ).run(in: try Here.repository())
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.model.approve/1")
        json.member("model", report.model.text)
        json.member("version", report.release.description)
        json.member("alias", report.alias)
        json.member("tag", report.tag)
        json.member("key", report.key)
        json.member("person", report.person)
        json.member("withdrawn", report.isWithdrawal)
      }
      return try StandardOutput.write(json.text + "\n")
    }
    guard !options.quiet else { return }
    let purpose = report.alias.map { " for '\($0)'" } ?? ""
    let verb = report.isWithdrawal ? "Took back the approval" : "Approved"
    var lines = ["\(verb) of \(report.model)@\(report.release)\(purpose) with key sha256:\(report.key)."]
    if report.person == nil { lines.append("note: That key is not in your trust store. It counts only for those who have it in theirs.") }
    lines.append("Share it: git push origin '\(report.tag)'")
    try StandardOutput.write(lines.map { $0 + "\n" }.joined())
  }
}
