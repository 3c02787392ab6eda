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

  /// The version that an alias was given to: the one its record names, else the one registered at its commit, as gto reads it.
  func version(at tag: Tag) throws -> Tag? {
    if let record = LineageIndex.record(in: tag.message), record["type"]?.string == "alias" {
      return try record["release"]?.string.flatMap { try self.tag("\(tag.model)@\($0)") }
    }
    guard let commit = tag.commit, RegistryTag(tag.name).map({ if case .assign = $0.action { true } else { false } }) == true else { return nil }
    return try tags("target = ? AND version IS NOT NULL", .blob(commit.bytes)).last { $0.model == tag.model }
  }

  func assignments(of version: Tag) throws -> [String] {
    if let known = aliases[version.model] { return known[version.name] ?? [] }
    var found: [String: [String]] = [:]
    for tag in try tags("model = ?", .text(version.model)) where tag.alias != nil {
      if let target = try self.version(at: tag) { found[target.name, default: []].append(tag.name) }
    }
    aliases[version.model] = found
    return found[version.name] ?? []
  }

  /// The tag that last gave an alias; several if two name the same one as the one before.
  func holders(_ model: String, _ alias: String) throws -> [Tag] {
    if let known = aliasHolders[[model, alias]] { return known }
    let found = try findHolders(model, alias)
    aliasHolders[[model, alias]] = found
    return found
  }

  /// The heads of the chain of moves; see `docs/format/registry.md`. One without a record follows the one with the number before, if
  /// that has none either.
  private func findHolders(_ model: String, _ alias: String) throws -> [Tag] {
    let all = try tags("model = ?", .text(model)).filter { $0.alias == alias }.sorted { ($0.number, $0.name) < ($1.number, $1.name) }
    var superseded: Set<GitObjectID> = []
    var isPlainBefore = false
    for (position, tag) in all.enumerated() {
      let record = LineageIndex.record(in: tag.message)
      if record == nil, isPlainBefore { superseded.insert(all[position - 1].object) }
      isPlainBefore = record == nil
      if let previous = tag.previous { superseded.insert(previous) }
      let resolved = record?["resolves"]
      for text in resolved?.array?.compactMap(\.string) ?? resolved?.string.map({ [$0] }) ?? [] {
        if let other = try? GitObjectID(hex: text) { superseded.insert(other) }
      }
    }
    return all.filter { !superseded.contains($0.object) }
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
