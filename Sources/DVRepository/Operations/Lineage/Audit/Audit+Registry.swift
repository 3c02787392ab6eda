import DVGit
import DVLineage
import DVObject
import DVSQLite
import DVWorkspace

extension Audit {
  /// A tag that registers a version must name what its commit has.
  mutating func tags() throws {
    let events = try registryEvents()
    for tag in try trace.tags("1 = ?", 1) where isAsked(.tag(tag.name)) {
      guard let commit = tag.commit else {
        find(.tampering, "tag-without-commit", tag.name, "The tag names no commit.")
        continue
      }
      if tag.isSigned {
        switch try signature(of: tag.object) {
        case .good: break
        case .unknown: find(.gap, "signature", tag.name, "git does not accept the tag's signature here: its key is not trusted or not known.")
        case .broken: find(.tampering, "signature", tag.name, "Its signature is of other bytes than the tag has.")
        }
      }
      if tag.alias != nil {
        if let action = RegistryTag(tag.name)?.action, case .unassign = action { continue }
        if try trace.version(at: tag) == nil { find(.gap, "alias-without-version", tag.name, "No version is registered where the alias points.") }
        continue
      }
      guard let path = tag.path, let oid = tag.oid else {
        find(.gap, "no-record", tag.name, "The tag holds no record of what was registered.")
        continue
      }
      let pointer = try? repository.resolve(TreePath(path) ?? .root, in: commit)
      if let pointer, pointer.inside.isRoot, pointer.data.pointer.oid != oid {
        find(.tampering, "tag-differs", tag.name, "It registers \(oid.shortHex) at '\(path)', where its commit has \(pointer.data.pointer.oid.shortHex).")
      } else if pointer == nil {
        find(.tampering, "tag-differs", tag.name, "It registers '\(path)', which its commit does not have.")
      } else if let pointer = pointer?.data.pointer, let record = events[tag.name]?.version {
        let isSame = record.isTree == (pointer.kind == .tree) && record.size == pointer.size && record.files == pointer.files && record.run == pointer.run
        if !isSame { find(.tampering, "tag-differs", tag.name, "It says another kind, size or run of '\(path)' than its commit's pointer.") }
      }
      let makers = try database.all(
        "SELECT r.id FROM uses u JOIN records r ON r.n = u.record WHERE u.oid = ? AND u.role = 1", .blob(oid.bytes)
      ) { try ObjectID(bytes: $0.blob(0).span) }
      if let run = tag.run {
        if try trace.type(of: run).isEmpty {
          find(.gap, "missing-record", tag.name, "The run \(run.shortHex) that it names is not in this clone.")
        } else if !makers.contains(run) {
          find(.tampering, "not-made-by-run", tag.name, "The run \(run.shortHex) that it names did not make \(oid.shortHex).")
        }
      } else if makers.isEmpty {
        find(.gap, "no-run", tag.name, "No recorded run made this model.")
      }
    }
    for model in Set(try trace.tags("alias IS NOT NULL AND 1 = ?", 1).map { [$0.model, $0.alias ?? ""] }) {
      let holders = try trace.holders(model[0], model[1])
      if holders.count > 1 {
        find(.gap, "contested", "\(model[0])@\(model[1])", "\(holders.map(\.name).joined(separator: " and ")) follow the same promotion.")
      }
    }
  }


  private func registryEvents() throws -> [String: ModelRegistry.Event] {
    var events: [String: ModelRegistry.Event] = [:]
    for model in try repository.modelRegistry().models.values { for event in model.events { events[event.tag.name] = event } }
    return events
  }

  /// Each tag of the registry must agree with itself, and moves of an alias must follow one another.
  mutating func registry() throws {
    let removals = try Removals(in: repository)
    let isShallow = try repository.git.isShallow
    for model in try repository.modelRegistry().models.values.sorted(by: { $0.name.text < $1.name.text }) {
      let byObject = Dictionary(model.events.map { ($0.tag.object, $0) }, uniquingKeysWith: { first, _ in first })
      for event in model.events where isAsked(.tag(event.tag.name)) {
        if let problem = event.problem { find(.tampering, "tag-contradicts-itself", event.tag.name, problem) }
        try name(of: event)
        switch event.parsed.action {
        case .register, .deregister, .create: break
        case .deprecate: deprecation(event)
        case .assign(let alias), .unassign(let alias): move(event, of: alias, in: model, byObject, removals, isShallow: isShallow)
        }
      }
      numbers(of: model, removals)
    }
  }

  /// A tag object bears its name, which a reference of another name would hide.
  private mutating func name(of event: ModelRegistry.Event) throws {
    guard event.tag.message != nil, let id = try? GitObjectID(hex: event.tag.object) else { return }
    let object = try repository.git.rawObject(id)
    if let name = object.header("tag"), name != event.tag.name {
      find(.tampering, "tag-renamed", event.tag.name, "The tag object was made as '\(name)'.")
    }
  }

  private mutating func deprecation(_ event: ModelRegistry.Event) {
    let record = event.tag.message.flatMap { LineageIndex.record(in: $0) }
    guard let record else { return }
    if record["type"]?.string != "deprecation" || record["model"]?.string != event.parsed.model.text {
      find(.tampering, "tag-contradicts-itself", event.tag.name, "Its record is not of giving up '\(event.parsed.model)'.")
    }
  }

  private mutating func move(
    _ event: ModelRegistry.Event, of alias: String, in model: ModelRegistry.Model, _ byObject: [String: ModelRegistry.Event],
    _ removals: Removals, isShallow: Bool
  ) {
    guard let record = event.alias else {
      if event.problem == nil {
        find(.gap, "no-record", event.tag.name, "The tag holds no record: GTO made it, or its record was taken out. Its place follows from its number alone.")
      }
      return
    }
    for object in [record.previous].compactMap(\.self) + record.resolves {
      if let before = byObject[object] {
        if before.movedAlias != alias {
          find(.tampering, "broken-chain", event.tag.name, "It follows '\(before.tag.name)', which is no move of this alias.")
        }
      } else if let removal = removals.byObject[object] {
        find(.gap, "tag-removed", event.tag.name, "It follows '\(removal.record.tag)', which was \(removal.text) ('\(removal.tag)').")
      } else if isShallow {
        find(
          .gap, "shallow", event.tag.name,
          "It follows the tag object \(object.prefix(12)), which is not in this shallow clone: 'git fetch --unshallow --tags' brings what there is.")
      } else {
        find(
          .tampering, "broken-chain", event.tag.name,
          "It follows the tag object \(object.prefix(12)), which is no tag of this model here: deleted, made anew, or not fetched ('git fetch --tags').")
      }
    }
    if let release = record.release {
      if let version = model.version(release) {
        if version.tag.commit != event.tag.commit {
          find(.tampering, "tag-differs", event.tag.name, "It gives the alias to \(release), and names another commit than '\(version.tag.name)' does.")
        }
      } else {
        find(.gap, "alias-without-version", event.tag.name, "It gives the alias to \(release), which is not registered here.")
      }
    }
  }

  /// Tags of a model count up: a number that is missing was deleted, as GTO does when asked to.
  private mutating func numbers(of model: ModelRegistry.Model, _ removals: Removals) {
    guard scope == nil else { return }
    let removed = removals.byObject.values.compactMap { RegistryTag($0.record.tag) }.filter { $0.model == model.name }
    let numbers = Set(model.events.compactMap(\.parsed.counter) + removed.compactMap(\.counter))
    guard let last = numbers.max(), last <= 1_000_000 else { return }
    let missing = (1...last).filter { !numbers.contains($0) }
    if let first = missing.first, missing.count < last {
      find(.gap, "missing-number", model.name.text, "Of its tags' numbers up to \(last) \(missing.count) are missing, the first of them \(first).")
    }
  }
}
