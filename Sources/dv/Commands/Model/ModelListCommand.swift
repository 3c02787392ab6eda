import ArgumentParser
import DVLineage
import DVRepository

struct ModelListCommand: Command {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the models, their versions and aliases.")

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let models = try Here.repository().modelRegistry().models.values.filter { !$0.events.isEmpty }.sorted { $0.name < $1.name }
    if options.json {
      var list = try JSONList(schema: "dv.model.list/1", "models")
      for model in models { try list.append { ModelText(model).write(to: &$0) } }
      return try list.finish()
    }
    guard !models.isEmpty else {
      return try StandardOutput.write("No model is registered. 'dv model register NAME PATH' registers one.\n")
    }
    var table = Table(.left, .left, .right, .left)
    for model in models {
      let text = ModelText(model)
      table.append(
        model.name.text, model.versions.last?.release.description ?? "-", Count(UInt64(model.versions.count)).of("version"),
        (text.aliasWords + (model.isDeprecated ? ["deprecated"] : [])).joined(separator: ", "))
    }
    try StandardOutput.write(table.lines.map { $0 + "\n" }.joined())
  }
}

struct ModelShowCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a model, or one version of it.",
    discussion: "Exits with 7 if an alias that is asked for is contested.")

  @OptionGroup var options: GlobalOptions

  @Argument(help: ArgumentHelp("The model; with @VERSION or @ALIAS one version of it.", valueName: "name[@version]"))
  var model: String

  func validate() throws {
    if ModelName(model) == nil, ModelVersionArgument(argument: model) == nil {
      throw ValidationError("'\(SafeText.message(model))' names no model.")
    }
  }

  func run() async throws {
    let repository = try Here.repository()
    if let wanted = ModelVersionArgument(argument: model) {
      let model = try repository.model(wanted.name)
      let event = try repository.version(wanted.selector, of: model)
      return try show(event, of: model)
    }
    guard let name = ModelName(model) else { return }
    let model = try repository.model(name)
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.model.show/1")
        ModelText(model).write(to: &json)
      }
      try StandardOutput.write(json.text + "\n")
    } else {
      try StandardOutput.write(ModelText(model).lines.map { $0 + "\n" }.joined())
    }
    if let contested = model.aliases.first(where: \.isContested) { try repository.requireUncontested(contested, of: model) }
  }

  private func show(_ event: ModelRegistry.Event, of model: ModelRegistry.Model) throws {
    let text = ModelText(model)
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.model.show/1")
        json.member("model", model.name.text)
        text.writeVersion(event, to: &json)
      }
      return try StandardOutput.write(json.text + "\n")
    }
    try StandardOutput.write(text.lines(of: event).map { $0 + "\n" }.joined())
  }
}

struct ModelHistoryCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Show who registered, promoted and removed what, when and why.")

  @OptionGroup var options: GlobalOptions

  @Option(
    name: .customLong("as-of"),
    help: ArgumentHelp("Show which version had which alias then (2026-11-25, or 2026-11-25T10:00:00Z).", valueName: "date"))
  var asOf: String?

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name"))
  var model: ModelArgument

  func validate() throws {
    if let asOf, DateText(parsing: asOf) == nil { throw ValidationError("'\(SafeText.message(asOf))' is no date such as 2026-11-25.") }
  }

  func run() async throws {
    let model = try Here.repository().recordedModel(model.name)
    let text = ModelText(model)
    let moment = asOf.flatMap { DateText(parsing: $0)?.milliseconds }
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.model.history/1")
        json.member("model", model.name.text)
        if let moment {
          json.member("asOf", moment)
          text.writeAliases(asOf: moment, to: &json)
        }
        json.array("events") { json in
          for event in model.events(asOf: moment ?? .max) { json.object { text.writeEvent(event, to: &$0) } }
        }
        json.array("removals") { json in
          for removed in model.removed where removed.record.time <= moment ?? .max { json.object { text.writeRemoval(removed, to: &$0) } }
        }
      }
      return try StandardOutput.write(json.text + "\n")
    }
    if let moment {
      return try StandardOutput.write(text.stateLines(asOf: moment).map { $0 + "\n" }.joined())
    }
    try StandardOutput.write(text.historyLines.map { $0 + "\n" }.joined())
  }
}
