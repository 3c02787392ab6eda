import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVSQLite

/// One node of the graph by what names it.
enum LineageKey: Hashable {
  case data(path: String, oid: ObjectID)
  /// A record, of whatever kind.
  case record(ObjectID)
  case commit(GitObjectID)
  /// A tag of the registry.
  case tag(String)
  /// Parameters of runs, by the digest of them.
  case parameters(ObjectID, run: ObjectID)

  static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.data(let path, let oid), .data(let path2, let oid2)): path == path2 && oid == oid2
    case (.record(let id), .record(let id2)): id == id2
    case (.commit(let id), .commit(let id2)): id == id2
    case (.tag(let name), .tag(let name2)): name == name2
    // Runs with the same parameters share them.
    case (.parameters(let id, _), .parameters(let id2, _)): id == id2
    default: false
    }
  }

  func hash(into hasher: inout Hasher) {
    switch self {
    case .data(let path, let oid):
      hasher.combine(path)
      hasher.combine(oid)
    case .record(let id), .parameters(let id, _): hasher.combine(id)
    case .commit(let id): hasher.combine(id)
    case .tag(let name): hasher.combine(name)
    }
  }
}

/// Follows the graph from its tables, one node at a time.
final class LineageTrace {
  let index: LineageIndex
  private var database: SQLiteDatabase { index.database }
  private var recordTypes: [ObjectID: String] = [:]
  private var aliasHolders: [[String]: [Tag]] = [:]
  /// Inputs that runs read below a path, of each path that was asked for.
  private var inputsBelow: [String: [LineageKey]] = [:]
  /// The tags that register a content; those that name none, by their commits.
  private var registrations: (byContent: [ObjectID: [(name: String, path: String)]], byCommit: [GitObjectID: [String]])?
  private var introductions: [LineageKey: [GitObjectID]] = [:]
  /// Of each model, the aliases that each of its versions was ever given.
  private var aliases: [String: [String: [String]]] = [:]

  /// The whole tables, once a walk has become long.
  private(set) var tables: LineageTables?
  private var steps: Int64 = 0

  init(_ index: LineageIndex) { self.index = index }

  /// Reads whole tables when a walk has seen so much that this is less than asking on.
  private func countStep() throws {
    steps += 1
    guard tables == nil, steps % 1000 == 0 else { return }
    let records = try database.first("SELECT count(*) FROM records") { $0.integer(0) } ?? 0
    if records < min(50 * steps, LineageTables.limit) { tables = try LineageTables(database) }
  }

  /// A way from one node to its neighbour.
  struct Step {
    let other: LineageKey
    let role: String
  }

  // MARK: - Causes

  /// Returns what a node comes from.
  ///
  /// - Parameter isTarget: whether it was asked for itself: what a commit brought is only told then.
  func causes(of key: LineageKey, isTarget: Bool = false) throws -> [Step] {
    switch key {
    case .data(let path, let oid): return try makers(path, oid)
    case .record(let id):
      switch try type(of: id) {
      case "run": return try runCauses(id)
      case "source", "import": return []
      default:
        let data = try uses(of: id, [.subject, .input]).map { Step(other: $0, role: "about") }
        let runs = try database.all("SELECT role, target FROM links JOIN records r ON r.n = links.record WHERE r.id = ?", .blob(id.bytes)) {
          (role: $0.text(0), target: try ObjectID(bytes: $0.blob(1).span))
        }
        let kind = try type(of: id)
        return data + runs.map {
          Step(other: .record($0.target), role: kind == "reproduction" && $0.role == "run" ? "reproduced by" : "about")
        }
      }
    case .parameters: return []
    case .commit(let id):
      guard isTarget else { return [] }
      return try database.all(
        """
        SELECT v.path, v.oid FROM changes h JOIN versions v ON v.n = h.version JOIN commits c ON c.n = h."commit" WHERE c.id = ?
        ORDER BY v.path
        """, .blob(id.bytes)
      ) { Step(other: .data(path: $0.text(0), oid: try ObjectID(bytes: $0.blob(1).span)), role: "committed at") }
    case .tag(let name):
      guard let tag = try tag(name) else { return [] }
      if tag.alias != nil {
        return try version(at: tag).map { [Step(other: .tag($0.name), role: "promoted to")] } ?? []
      }
      var steps: [Step] = []
      if let path = tag.path, let oid = tag.oid { steps.append(Step(other: .data(path: path, oid: oid), role: "registered as")) }
      else { steps += try data(ofModel: tag).map { Step(other: $0, role: "registered as") } }
      if let commit = tag.commit { steps.append(Step(other: .commit(commit), role: "registered as")) }
      return steps
    }
  }

  private func makers(_ path: String, _ oid: ObjectID) throws -> [Step] {
    var steps: [Step] = []
    var others: Set<String> = []
    try database.rows(
      "SELECT r.id, u.path, u.role FROM uses u JOIN records r ON r.n = u.record WHERE u.oid = ? AND u.role IN (1, 2) ORDER BY r.n",
      .blob(oid.bytes)
    ) { row in
      let record = try ObjectID(bytes: row.blob(0).span)
      if row.text(1) == path {
        steps.append(Step(other: .record(record), role: row.integer(2) == 1 ? "output" : "derived from"))
      } else {
        others.insert(row.text(1))
      }
    }
    if steps.isEmpty { steps += others.sorted().map { Step(other: .data(path: $0, oid: oid), role: "same content") } }
    // A file of a directory that is tracked as a whole; a directory that holds what runs made.
    if steps.isEmpty { steps += try wholes(of: path, oid).map { Step(other: $0, role: "part of") } }
    return steps
  }

  /// The tracked directories that a path lies in and that hold the content.
  private func wholes(of path: String, _ oid: ObjectID) throws -> [LineageKey] {
    var directories: [String] = []
    var end = path.lastIndex(of: "/")
    while let slash = end {
      directories.append(String(path[..<slash]))
      end = path[..<slash].lastIndex(of: "/")
    }
    guard !directories.isEmpty else { return [] }
    var found: [LineageKey] = []
    var trees: Set<ObjectID>?
    for directory in directories {
      let versions = try database.all("SELECT oid FROM versions WHERE path = ? AND kind = 'tree'", .text(directory)) {
        try ObjectID(bytes: $0.blob(0).span)
      }
      guard !versions.isEmpty else { continue }
      if trees == nil { trees = try index.trees(holding: oid) }
      found += versions.filter { trees?.contains($0) == true }.map { .data(path: directory, oid: $0) }
    }
    return found
  }

  private func runCauses(_ id: ObjectID) throws -> [Step] {
    var steps = try uses(of: id, [.input]).map { Step(other: $0, role: "input") }
    if let record = try index.record(id) {
      if let parameters = record.json["params"]?.array, !parameters.isEmpty {
        let digest = ObjectID(hashing: JSONValue.array(parameters).canonical().span)
        steps.append(Step(other: .parameters(digest, run: id), role: "parameterised by"))
      }
    }
    let base = try database.first("SELECT r.base FROM records r JOIN commits c ON c.id = r.base WHERE r.id = ?", .blob(id.bytes)) {
      try GitObjectID(bytes: $0.blob(0).span)
    }
    if let base { steps.append(Step(other: .commit(base), role: "executed at")) }
    return steps
  }

  // MARK: - Effects

  /// Returns what came of a node.
  ///
  /// - Parameter isTarget: whether it was asked for itself: what a commit led to is only told then, because each commit
  ///   that holds data also holds much that has nothing to do with it.
  func effects(of key: LineageKey, isTarget: Bool) throws -> [Step] {
    try countStep()
    switch key {
    case .data(let path, let oid): return try dataEffects(path, oid, isTarget: isTarget)
    case .record(let id):
      var steps: [Step] = []
      switch try type(of: id) {
      case "run": steps += try uses(of: id, [.output]).map { Step(other: $0, role: "output") }
      case "source", "import": steps += try uses(of: id, [.source]).map { Step(other: $0, role: "derived from") }
      default: break
      }
      if let tables {
        for link in tables.links[id] ?? [] {
          guard let record = tables.records[link.record] else { continue }
          steps.append(Step(other: .record(record.id), role: record.type == "reproduction" && link.role == "run" ? "reproduced by" : "about"))
        }
        return steps
      }
      try database.rows(
        "SELECT r.id, r.type, l.role FROM links l JOIN records r ON r.n = l.record WHERE l.target = ? ORDER BY r.n", .blob(id.bytes)
      ) { row in
        let role = row.text(1) == "reproduction" && row.text(2) == "run" ? "reproduced by" : "about"
        steps.append(Step(other: .record(try ObjectID(bytes: row.blob(0).span)), role: role))
      }
      return steps
    case .commit(let id):
      guard isTarget else { return [] }
      var steps = try database.all("SELECT id FROM records WHERE base = ? ORDER BY n", .blob(id.bytes)) {
        Step(other: .record(try ObjectID(bytes: $0.blob(0).span)), role: "executed at")
      }
      steps += try database.all("SELECT name FROM tags WHERE target = ? AND version IS NOT NULL ORDER BY name", .blob(id.bytes)) {
        Step(other: .tag($0.text(0)), role: "registered as")
      }
      return steps
    case .tag(let name):
      guard let tag = try tag(name), tag.alias == nil else { return [] }
      return try assignments(of: tag).map { Step(other: .tag($0), role: "promoted to") }
    case .parameters(_, let run): return [Step(other: .record(run), role: "parameterised by")]
    }
  }

  private func dataEffects(_ path: String, _ oid: ObjectID, isTarget: Bool) throws -> [Step] {
    var steps: [Step] = []
    var others: Set<String> = []
    let versions: [String]
    if let tables {
      for use in tables.usesByContent[oid] ?? [] where use.role == 0 || use.role == 3 {
        guard use.path == path else {
          others.insert(use.path)
          continue
        }
        if let record = tables.records[use.record] { steps.append(Step(other: .record(record.id), role: use.role == 0 ? "input" : "about")) }
      }
      versions = (tables.versions[oid] ?? []).map(\.path)
    } else {
      try database.rows(
        "SELECT r.id, u.path, u.role FROM uses u JOIN records r ON r.n = u.record WHERE u.oid = ? AND u.role IN (0, 3) ORDER BY r.n",
        .blob(oid.bytes)
      ) { row in
        if row.text(1) == path {
          steps.append(Step(other: .record(try ObjectID(bytes: row.blob(0).span)), role: row.integer(2) == 0 ? "input" : "about"))
        } else {
          others.insert(row.text(1))
        }
      }
      versions = try database.all("SELECT path FROM versions WHERE oid = ?", .blob(oid.bytes)) { $0.text(0) }
    }
    for other in others.union(versions).sorted() where other != path {
      steps.append(Step(other: .data(path: other, oid: oid), role: "same content"))
    }
    let registrations = try allRegistrations()
    for tag in registrations.byContent[oid] ?? [] where tag.path == path { steps.append(Step(other: .tag(tag.name), role: "registered as")) }
    // Tags of gto itself name no data: the model's path says it, or there is none.
    for commit in try commits(introducing: path, oid) {
      steps.append(Step(other: .commit(commit), role: "committed at"))
      for name in registrations.byCommit[commit] ?? [] {
        if let tag = try tag(name), try data(ofModel: tag).contains(.data(path: path, oid: oid)) {
          steps.append(Step(other: .tag(name), role: "registered as"))
        }
      }
    }
    // Directories that are tracked as a whole and hold it.
    let trees = try index.trees(holding: oid)
    for tree in trees.sorted() {
      for whole in try places(of: tree) { steps.append(Step(other: .data(path: whole, oid: tree), role: "part of")) }
    }
    // Inputs below a directory that are tracked with it.
    for case .data(let other, let part) in try inputs(below: path) where part != oid {
      if try index.trees(holding: part).contains(oid) { steps.append(Step(other: .data(path: other, oid: part), role: "part of")) }
    }
    return steps
  }

  private func inputs(below path: String) throws -> [LineageKey] {
    if let known = inputsBelow[path] { return known }
    let found: [LineageKey] = try database.all(
      "SELECT DISTINCT u.path, u.oid FROM uses u WHERE u.role = 0 AND u.path > ? AND u.path < ?", .text(path + "/"), .text(path + "0")
    ) { .data(path: $0.text(0), oid: try ObjectID(bytes: $0.blob(1).span)) }
    inputsBelow[path] = found
    return found
  }

  private func allRegistrations() throws -> (byContent: [ObjectID: [(name: String, path: String)]], byCommit: [GitObjectID: [String]]) {
    if let registrations { return registrations }
    var found: (byContent: [ObjectID: [(name: String, path: String)]], byCommit: [GitObjectID: [String]]) = ([:], [:])
    try database.rows("SELECT name, path, oid, target FROM tags WHERE version IS NOT NULL ORDER BY name") { row in
      if let oid = try? ObjectID(bytes: row.blob(2).span) {
        found.byContent[oid, default: []].append((row.text(0), row.text(1)))
      } else if let commit = try? GitObjectID(bytes: row.blob(3).span) {
        found.byCommit[commit, default: []].append(row.text(0))
      }
    }
    registrations = found
    return found
  }

  /// The paths under which a content was tracked or used.
  func places(of oid: ObjectID) throws -> [String] {
    try database.all(
      "SELECT path FROM versions WHERE oid = ? UNION SELECT path FROM uses WHERE oid = ? ORDER BY 1", .blob(oid.bytes), .blob(oid.bytes)
    ) { $0.text(0) }
  }

  /// The commits that brought a version of data, the oldest first.
  func commits(introducing path: String, _ oid: ObjectID) throws -> [GitObjectID] {
    if let tables { return tables.introductions[.data(path: path, oid: oid)] ?? [] }
    if let known = introductions[.data(path: path, oid: oid)] { return known }
    let found = try database.all(
      """
      SELECT c.id FROM changes h JOIN versions v ON v.n = h.version JOIN commits c ON c.n = h."commit"
      WHERE v.path = ? AND v.oid = ? ORDER BY c.time, c.n
      """, .text(path), .blob(oid.bytes)
    ) { try GitObjectID(bytes: $0.blob(0).span) }
    introductions[.data(path: path, oid: oid)] = found
    return found
  }

  // MARK: - Registry

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
  private func data(ofModel tag: Tag) throws -> [LineageKey] {
    guard let commit = tag.commit else { return [] }
    return try database.all(
      """
      SELECT v.path, v.oid FROM changes h JOIN versions v ON v.n = h.version JOIN commits c ON c.n = h."commit"
      WHERE c.id = ? AND (v.path = ? OR v.path LIKE ? ESCAPE '\\')
      """, .blob(commit.bytes), .text(tag.model), .text("%/" + tag.model.replacing("%", with: "\\%").replacing("_", with: "\\_"))
    ) { .data(path: $0.text(0), oid: try ObjectID(bytes: $0.blob(1).span)) }
  }

  // MARK: - Records

  func type(of id: ObjectID) throws -> String {
    if let tables { return tables.numbers[id].flatMap { tables.records[$0]?.type } ?? "" }
    if let known = recordTypes[id] { return known }
    let type = try database.first("SELECT type FROM records WHERE id = ?", .blob(id.bytes)) { $0.text(0) } ?? ""
    recordTypes[id] = type
    return type
  }

  private func uses(of record: ObjectID, _ roles: [DataRole]) throws -> [LineageKey] {
    if let tables {
      let all = tables.numbers[record].flatMap { tables.usesByRecord[$0] } ?? []
      return all.filter { use in roles.contains { $0.rawValue == use.role } }.map { .data(path: $0.path, oid: $0.oid) }
    }
    return try database.all(
      "SELECT u.path, u.oid, u.role FROM uses u JOIN records r ON r.n = u.record WHERE r.id = ? ORDER BY u.rowid", .blob(record.bytes)
    ) { (path: $0.text(0), oid: try ObjectID(bytes: $0.blob(1).span), role: $0.integer(2)) }
    .filter { use in roles.contains { $0.rawValue == use.role } }.map { .data(path: $0.path, oid: $0.oid) }
  }
}

extension GitObjectID {
  /// git's way to say that there is none.
  fileprivate static var null: GitObjectID {
    // Twenty bytes are an ID, whatever they are.
    try! GitObjectID(bytes: [UInt8](repeating: 0, count: 20).span)
  }
}
