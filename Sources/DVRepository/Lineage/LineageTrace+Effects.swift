import DVGit
import DVObject
import DVSQLite

extension LineageTrace {
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
        + attestations(about: name).map { Step(other: .tag($0), role: "about") }
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
}
