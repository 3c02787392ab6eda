import ArgumentParser
import DVFile
import DVLineage
import DVObject
import DVRepository

/// Groups what is done with models that have versions and aliases.
struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Register versions of models, and say which one is in production.",
    discussion: """
      The registry is made of annotated git tags in the form of GTO: 'churn@v1.2.0' registers a version, 'churn#production#7' \
      gives it an alias. Each holds a record of what it says, who said it and when. Tags are made here and shared by \
      'git push origin TAG'; nothing is ever overwritten.
      """,
    subcommands: [
      ModelApproveCommand.self,
      ModelCheckCommand.self,
      ModelDeprecateCommand.self,
      ModelDiffCommand.self,
      ModelGetCommand.self,
      ModelHistoryCommand.self,
      ModelListCommand.self,
      ModelPromoteCommand.self,
      ModelRegisterCommand.self,
      ModelRemoveCommand.self,
      ModelRollbackCommand.self,
      ModelShowCommand.self,
    ], defaultSubcommand: ModelListCommand.self)
}

/// The name of a model on the command line.
struct ModelArgument: ExpressibleByArgument {
  let name: ModelName

  init?(argument: String) {
    guard let name = ModelName(argument) else { return nil }
    self.name = name
  }
}

/// `NAME@v1.2.0`, `NAME@production`, `NAME@latest` on the command line; GTO's `NAME#production` is read too.
struct ModelVersionArgument: ExpressibleByArgument {
  let name: ModelName
  let selector: String

  init?(argument: String) {
    guard let mark = argument.lastIndex(where: { $0 == "@" || $0 == "#" }), let name = ModelName(String(argument[..<mark])) else {
      return nil
    }
    let selector = String(argument[argument.index(after: mark)...])
    guard !selector.isEmpty else { return nil }
    self.name = name
    self.selector = selector
  }
}

extension TagReport {
  /// Prints what was made, and how others come to see it.
  func print(_ options: GlobalOptions, command: String, sentence: String) throws {
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.model.\(command)/1")
        json.member("tag", tag)
        json.member("model", model.text)
        json.member("version", release?.description)
        json.member("alias", alias)
        json.member("previous", previous?.description)
        json.member("commit", commit)
        json.member("record", record.hex)
        if let policy { PolicyText(policy).writeChecks(to: &json) }
      }
      return try StandardOutput.write(json.text + "\n")
    }
    guard !options.quiet else { return }
    let checks = policy.map { PolicyText($0).passedLine } ?? ""
    try StandardOutput.write("\(sentence)\n\(checks)Share it: git push origin '\(tag)'\n")
  }
}
