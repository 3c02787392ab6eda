import DVLineage
import DVObject

/// A model of the registry as people and programs read it.
struct ModelText {
  let model: ModelRegistry.Model

  init(_ model: ModelRegistry.Model) { self.model = model }

  // MARK: Words

  /// Such as `production v1.2.0`.
  var aliasWords: [String] {
    model.aliases.compactMap { state in
      if state.isContested { return "\(state.alias) contested" }
      guard let release = state.heads.first.flatMap({ model.release(of: $0) }) else { return nil }
      return "\(state.alias) \(release)"
    }
  }

  /// The aliases of one version.
  private func aliases(of release: ModelVersion) -> [String] {
    model.aliases.filter { state in !state.isContested && state.heads.contains { model.release(of: $0) == release } }.map(\.alias)
  }

  var lines: [String] {
    var lines = [model.name.text + (model.isDeprecated ? " (deprecated)" : "")]
    if !aliasWords.isEmpty { lines.append("  aliases: " + aliasWords.joined(separator: ", ")) }
    var table = Table(.left, .left, .left, .left, .left)
    for (release, event) in model.versions.reversed() {
      table.append(
        "  \(release)", DateText(milliseconds: event.time).description, event.version.map { ByteCount($0.size).description } ?? "",
        event.version.map { SafeText.name($0.path) } ?? "(not made by dv)", aliases(of: release).joined(separator: ", "))
    }
    return lines + table.lines + model.events.compactMap(\.problem).map { "warning: \(SafeText.message($0))" }
  }

  /// One version.
  func lines(of event: ModelRegistry.Event) -> [String] {
    guard case .register(let release) = event.parsed.action else { return [] }
    var rows: [(String, String)] = [("tag", event.tag.name), ("commit", event.tag.commit ?? "none")]
    if let record = event.version {
      rows += [
        ("path", SafeText.name(record.path)), ("oid", "sha256:\(record.oid.hex)"),
        ("size", ByteCount(record.size).description + (record.files.map { " in " + Count($0).of("file") } ?? "")),
        ("run", record.run?.hex ?? "none recorded"),
      ]
    }
    rows.append(("registered", DateText(milliseconds: event.time).description))
    rows.append(("by", SafeText.message(event.version?.user ?? event.tag.tagger ?? "nobody known")))
    let held = aliases(of: release)
    if !held.isEmpty { rows.append(("aliases", held.joined(separator: ", "))) }
    var table = Table(.left, .left)
    for (name, value) in rows { table.append("  \(name)", value) }
    return ["\(model.name)@\(release)"] + table.lines + description(of: event).map { "  " + SafeText.message($0) }
  }

  /// What people wrote into a tag's message between title and record.
  private func description(of event: ModelRegistry.Event) -> [String] {
    let lines = (event.tag.message ?? "").split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
    let text = lines.prefix { !$0.hasPrefix("{") && !$0.hasPrefix("-----BEGIN ") }
    let words = text.map(String.init).filter { !$0.isEmpty }
    return words.isEmpty ? [] : [""] + words
  }

  var historyLines: [String] {
    var table = Table(.left, .left, .left, .left)
    // Removals stand after all that was there when they were made.
    var removed = model.removed[...]
    func tell(_ removal: ModelRegistry.RemovedTag) {
      table.append(
        DateText(milliseconds: removal.record.time).description, "\(SafeText.message(removal.record.tag)) removed",
        SafeText.message(removal.record.user ?? ""), SafeText.message(removal.record.reason))
    }
    for event in model.events {
      while let first = removed.first, first.record.time < event.time { tell(removed.removeFirst()) }
      table.append(
        DateText(milliseconds: event.time).description, sentence(event), SafeText.message(who(event) ?? ""),
        SafeText.message(event.problem.map { "warning: \($0)" } ?? event.reason ?? firstWords(of: event)))
    }
    removed.forEach(tell)
    return table.lines
  }

  /// What people say of a version that they register, in a line.
  private func firstWords(of event: ModelRegistry.Event) -> String {
    guard case .register = event.parsed.action else { return "" }
    return description(of: event).dropFirst().first ?? ""
  }

  private func who(_ event: ModelRegistry.Event) -> String? { event.version?.user ?? event.alias?.user ?? event.tag.tagger }

  private func sentence(_ event: ModelRegistry.Event) -> String {
    switch event.parsed.action {
    case .register(let release): "\(release) registered"
    case .deregister(let release): "\(release) taken back"
    case .assign(let alias): "\(model.release(of: event)?.description ?? "a commit without version") is \(alias)"
    case .unassign(let alias): "no version is \(alias)"
    case .deprecate: "deprecated"
    case .create: "named"
    }
  }

  func stateLines(asOf moment: Int64) -> [String] {
    var lines: [String] = []
    for state in model.aliases(asOf: moment) {
      let releases = state.heads.map { model.release(of: $0)?.description ?? "none" }
      lines.append("\(state.alias): \(releases.joined(separator: " and "))" + (state.isContested ? " (contested)" : ""))
    }
    return lines.isEmpty ? ["No version had an alias then."] : lines
  }

  // MARK: JSON

  func write(to json: inout JSONText) {
    json.member("model", model.name.text)
    json.member("deprecated", model.isDeprecated)
    writeAliases(asOf: .max, to: &json)
    json.array("versions") { json in
      for (_, event) in model.versions { json.object { writeVersion(event, to: &$0) } }
    }
  }

  func writeAliases(asOf moment: Int64, to json: inout JSONText) {
    json.array("aliases") { json in
      for state in model.aliases(asOf: moment) {
        json.object { json in
          json.member("alias", state.alias)
          json.member("contested", state.isContested)
          json.member("version", state.isContested ? nil : state.heads.first.flatMap { model.release(of: $0)?.description })
          json.array("heads") { json in for head in state.heads { json.value(head.tag.name) } }
        }
      }
    }
  }

  func writeVersion(_ event: ModelRegistry.Event, to json: inout JSONText) {
    guard case .register(let release) = event.parsed.action else { return }
    json.member("version", release.description)
    json.member("tag", event.tag.name)
    json.member("commit", event.tag.commit)
    json.member("path", event.version?.path)
    json.member("oid", event.version.map { "sha256:\($0.oid.hex)" })
    json.member("kind", event.version.map { $0.isTree ? "tree" : "file" })
    json.member("size", event.version?.size)
    json.member("run", event.version?.run?.hex)
    json.member("record", event.recordID?.hex)
    json.member("time", event.time)
    json.member("user", who(event))
    json.member("problem", event.problem)
    json.array("aliases") { json in for alias in aliases(of: release) { json.value(alias) } }
  }

  func writeRemoval(_ removed: ModelRegistry.RemovedTag, to json: inout JSONText) {
    json.member("tag", removed.record.tag)
    json.member("object", removed.record.object)
    json.member("removal", removed.tag)
    json.member("reason", removed.record.reason)
    json.member("time", removed.record.time)
    json.member("user", removed.record.user)
  }

  func writeEvent(_ event: ModelRegistry.Event, to json: inout JSONText) {
    json.member("tag", event.tag.name)
    json.member("object", event.tag.object)
    json.member("commit", event.tag.commit)
    let (action, alias, release): (String, String?, ModelVersion?) =
      switch event.parsed.action {
      case .register(let release): ("register", nil, release)
      case .deregister(let release): ("deregister", nil, release)
      case .assign(let alias): ("assign", alias, model.release(of: event))
      case .unassign(let alias): ("unassign", alias, nil)
      case .deprecate: ("deprecate", nil, nil)
      case .create: ("create", nil, nil)
      }
    json.member("action", action)
    json.member("alias", alias)
    json.member("version", release?.description)
    json.member("previous", event.alias?.previous)
    json.member("reason", event.reason)
    json.member("policy", event.alias?.policy)
    json.array("evidence") { json in
      for evidence in event.alias?.evidence ?? [] {
        json.object { json in
          json.member("check", evidence.check)
          json.member("finding", evidence.finding)
          if !evidence.inputs.isEmpty { json.member("inputs", JSONValue.object(evidence.inputs)) }
        }
      }
    }
    json.member("record", event.recordID?.hex)
    json.member("time", event.time)
    json.member("user", who(event))
    json.member("problem", event.problem)
  }
}
