import DVGit
import DVLineage
import DVObject
import DVSQLite

extension LineageTrace {
  /// A tag of the registry.
  struct Tag {
    let name: String
    let model: String
    let version: String?
    let alias: String?
    let number: Int64
    let commit: GitObjectID?
    let object: GitObjectID
    let time: Int64
    let tagger: String
    let isSigned: Bool
    let path: String?
    let oid: ObjectID?
    let run: ObjectID?
    let previous: GitObjectID?
    let message: String
  }

  func tag(_ name: String) throws -> Tag? { try tags("name = ?", .text(name)).first }

  func tags(_ condition: String, _ value: SQLiteValue) throws -> [Tag] {
    try database.all(
      """
      SELECT name, model, version, alias, number, target, object, time, tagger, signed, path, oid, run, previous, message FROM tags
      WHERE \(condition) ORDER BY time, number, name
      """, value
    ) { row in
      func text(_ column: Int) -> String? { row.isNull(column) ? nil : row.text(column) }
      func git(_ column: Int) -> GitObjectID? { try? GitObjectID(bytes: row.blob(column).span) }
      func object(_ column: Int) -> ObjectID? { try? ObjectID(bytes: row.blob(column).span) }
      return Tag(
        name: row.text(0), model: row.text(1), version: text(2), alias: text(3), number: row.integer(4), commit: git(5),
        object: git(6) ?? .null, time: row.integer(7), tagger: row.text(8), isSigned: row.integer(9) == 1, path: text(10),
        oid: object(11), run: object(12), previous: git(13), message: row.text(14))
    }
  }

  /// What is asked of a model again and again. Which version has which alias is decided by ``ModelRegistry``, for all of dv.
  struct RegisteredModel {
    let model: ModelRegistry.Model
    /// By the names of their tags.
    let events: [String: ModelRegistry.Event]
    /// Of each version's tag, the moves that gave it an alias.
    let assignments: [String: [String]]

    init(_ model: ModelRegistry.Model) {
      self.model = model
      events = Dictionary(model.events.map { ($0.tag.name, $0) }, uniquingKeysWith: { first, _ in first })
      var assignments: [String: [String]] = [:]
      for event in model.events where event.movedAlias != nil {
        if let release = model.release(of: event) { assignments["\(model.name.inTag)@\(release)", default: []].append(event.tag.name) }
      }
      self.assignments = assignments
    }
  }

  /// The model that is `name` in tags; `nil` if there is none.
  private func registered(_ name: String) throws -> RegisteredModel? {
    if let known = registeredModels[name] { return known }
    let registry = try self.registry ?? repository.modelRegistry()
    self.registry = registry
    guard let model = registry.models.values.first(where: { $0.name.inTag == name }) else { return nil }
    let found = RegisteredModel(model)
    registeredModels[name] = found
    return found
  }

  /// The version that an alias was given to: the one its record names, else the one registered at its commit, as gto reads it.
  func version(at tag: Tag) throws -> Tag? {
    guard let known = try registered(tag.model), let move = known.events[tag.name] else { return nil }
    return try known.model.release(of: move).flatMap { try self.tag("\(tag.model)@\($0)") }
  }

  /// The names of the tags that ever gave a version an alias.
  func assignments(of version: Tag) throws -> [String] { try registered(version.model)?.assignments[version.name] ?? [] }

  /// The tag that last gave an alias; several if the alias is contested.
  func holders(_ model: String, _ alias: String) throws -> [Tag] {
    let key = [model, alias]
    if let found = aliasHolders[key] { return found }
    let found = try registered(model)?.model.alias(alias)?.heads.compactMap { try tag($0.tag.name) } ?? []
    aliasHolders[key] = found
    return found
  }

  /// The data of a version whose tag names none: what its commit has under the model's name.
  func data(ofModel tag: Tag) throws -> [LineageKey] {
    guard let commit = tag.commit else { return [] }
    return try database.all(
      """
      SELECT v.path, v.oid FROM changes h JOIN versions v ON v.n = h.version JOIN commits c ON c.n = h."commit"
      WHERE c.id = ? AND (v.path = ? OR v.path LIKE ? ESCAPE '\\')
      """, .blob(commit.bytes), .text(tag.model), .text("%/" + tag.model.replacing("%", with: "\\%").replacing("_", with: "\\_"))
    ) { .data(path: $0.text(0), oid: try ObjectID(bytes: $0.blob(1).span)) }
  }
}

extension GitObjectID {
  /// git's way to say that there is none.
  fileprivate static var null: GitObjectID {
    // Twenty bytes are an ID, whatever they are.
    try! GitObjectID(bytes: [UInt8](repeating: 0, count: 20).span)
  }
}
