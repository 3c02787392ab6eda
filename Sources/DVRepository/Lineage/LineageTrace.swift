import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVSQLite

/// Follows the graph from its tables, one node at a time.
final class LineageTrace {
  let index: LineageIndex
  let repository: Repository
  var database: SQLiteDatabase { index.database }
  var recordTypes: [ObjectID: String] = [:]
  /// Read when it is first asked for.
  var registry: ModelRegistry?
  /// Tags of attestations by name; `nil` as long as nobody asked.
  var attestationTags: [String: GitTag]?
  /// Their names by that of the version's tag.
  var attestationsByVersion: [String: [String]]?
  /// By their names in tags.
  var registeredModels: [String: RegisteredModel] = [:]
  /// Who holds an alias: asked for at each of its moves, of which a model may have hundreds.
  var aliasHolders: [[String]: [Tag]] = [:]
  /// Inputs that runs read below a path, of each path that was asked for.
  var inputsBelow: [String: [LineageKey]] = [:]
  /// The tags that register a content; those that name none, by their commits.
  var registrations: (byContent: [ObjectID: [(name: String, path: String)]], byCommit: [GitObjectID: [String]])?
  var introductions: [LineageKey: [GitObjectID]] = [:]

  /// The whole tables, once a walk has become long.
  private(set) var tables: LineageTables?
  private var steps: Int64 = 0

  init(_ index: LineageIndex, of repository: Repository) { (self.index, self.repository) = (index, repository) }

  /// Reads whole tables when a walk has seen so much that this is less than asking on.
  func countStep() throws {
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
      if let attestation = AttestationTag(name) { return try tag(attestation.version).map { [Step(other: .tag($0.name), role: "about")] } ?? [] }
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

  // MARK: - Data

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

  // MARK: - Records

  func type(of id: ObjectID) throws -> String {
    if let tables { return tables.numbers[id].flatMap { tables.records[$0]?.type } ?? "" }
    if let known = recordTypes[id] { return known }
    let type = try database.first("SELECT type FROM records WHERE id = ?", .blob(id.bytes)) { $0.text(0) } ?? ""
    recordTypes[id] = type
    return type
  }

  func uses(of record: ObjectID, _ roles: [DataRole]) throws -> [LineageKey] {
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
