import DVGit
import DVLineage
import DVObject
import DVSQLite

extension LineageKey {
  /// The node's name in a graph, given the type of a record.
  func id(recordType: String) -> String {
    switch self {
    case .data(let path, let oid): "data:\(oid.text):\(path)"
    case .record(let id): "\(LineageGraph.Node.Kind(recordType: recordType).rawValue):\(id.text)"
    case .commit(let id): "commit:\(id.hex)"
    case .tag(let name): (AttestationTag(name) != nil ? "attestation:" : name.contains("#") ? "alias:" : "model:") + name
    case .parameters(let id, _): "parameters:\(id.text)"
    }
  }
}

extension LineageGraph.Node.Kind {
  init(recordType: String) {
    self =
      switch recordType {
      case "run": .run
      case "source", "import": .source
      case "reproduction": .reproduction
      case "profile": .profile
      case "attestation", "approval", "signature": .attestation
      default: .record
      }
  }
}

extension LineageTrace {
  func id(of key: LineageKey) throws -> String {
    if case .record(let id) = key { return key.id(recordType: try type(of: id)) }
    return key.id(recordType: "")
  }

  /// Returns all that a graph says of a node.
  ///
  /// - Parameter isBrief: of records only what lists show, which needs no look into them.
  func node(_ key: LineageKey, isBrief: Bool = false) throws -> LineageGraph.Node {
    let id = try id(of: key)
    switch key {
    case .data(let path, let oid):
      var facts = [LineageGraph.Fact("path", path), .init("oid", oid.text)]
      let size: (kind: String, size: Int64, files: Int64)?
      if let tables {
        size = tables.versions[oid]?.first { $0.path == path }.map { ($0.kind, $0.size, $0.files) }
      } else {
        size = try index.database.first("SELECT kind, size, files FROM versions WHERE path = ? AND oid = ?", .text(path), .blob(oid.bytes)) {
          (kind: $0.text(0), size: $0.integer(1), files: $0.integer(2))
        }
      }
      if let size {
        facts += [.init("kind", size.kind), .init("size", "\(size.size)")]
        if size.kind == "tree" { facts.append(.init("files", "\(size.files)")) }
      } else if let use = try index.database.first("SELECT mode, size FROM uses WHERE oid = ?", .blob(oid.bytes), body: { (mode: $0.text(0), size: $0.integer(1)) }) {
        facts += [.init("kind", use.mode), .init("size", "\(use.size)")]
      }
      if let commit = try commits(introducing: path, oid).first { facts.append(.init("commit", commit.hex)) }
      return .init(id: id, kind: .data, label: path, facts: facts)
    case .record(let record):
      return try (isBrief ? briefNode(record, id: id) : nil) ?? recordNode(record, id: id)
    case .commit(let commit):
      let found = try index.database.first("SELECT time, author, subject FROM commits WHERE id = ?", .blob(commit.bytes)) {
        (time: $0.integer(0), author: $0.text(1), subject: $0.text(2))
      }
      return .init(
        id: id, kind: .commit, label: found?.subject ?? commit.shortHex,
        facts: [.init("commit", commit.hex)] + (found.map { [.init("author", $0.author), .init("time", "\($0.time * 1000)")] } ?? []))
    case .tag(let name):
      if let attestation = try attestations()[name] { return Self.node(attestation, id: id) }
      guard let tag = try tag(name) else { return .init(id: id, kind: .model, label: name, facts: []) }
      var facts = [LineageGraph.Fact("tag", name), .init("model", tag.model)]
      if let version = tag.version { facts.append(.init("version", version)) }
      if let alias = tag.alias {
        facts.append(.init("alias", alias))
        facts.append(.init("current", try holders(tag.model, alias).contains { $0.name == name } ? "yes" : "no"))
      }
      if let commit = tag.commit { facts.append(.init("commit", commit.hex)) }
      if let oid = tag.oid { facts.append(.init("oid", oid.text)) }
      if let run = tag.run { facts.append(.init("run", run.text)) }
      if tag.time > 0 { facts += [.init("by", tag.tagger), .init("time", "\(tag.time * 1000)")] }
      facts.append(.init("signed", tag.isSigned ? "yes" : "no"))
      return .init(id: id, kind: tag.alias == nil ? .model : .alias, label: tag.alias.map { "\(tag.model)@\($0)" } ?? name, facts: facts)
    case .parameters(_, let run):
      let values = try index.record(run)?.json["params"]?.array ?? []
      return .init(
        id: id, kind: .parameters, label: "\(values.count) parameter\(values.count == 1 ? "" : "s")",
        facts: values.compactMap { value in
          guard let triple = value.array, triple.count == 3 else { return nil }
          return .init("\(triple[0].string ?? ""):\(triple[1].string ?? "")", String(decoding: triple[2].canonical(), as: UTF8.self))
        })
    }
  }

  private func briefNode(_ record: ObjectID, id: String) throws -> LineageGraph.Node? {
    let row: LineageTables.RecordRow?
    if let tables {
      row = tables.numbers[record].flatMap { tables.records[$0] }
    } else {
      row = try index.database.first("SELECT type, label, status, time FROM records WHERE id = ?", .blob(record.bytes)) {
        .init(id: record, type: $0.text(0), label: $0.text(1), status: $0.isNull(2) ? nil : $0.text(2), time: $0.isNull(3) ? nil : $0.integer(3))
      }
    }
    guard let row else { return nil }
    var facts = [LineageGraph.Fact("record", record.text)]
    if let commit = try commit(of: record) { facts.append(.init("commit", commit.hex)) }
    if let status = row.status { facts.append(.init("status", status)) }
    if let time = row.time { facts.append(.init("end", "\(time)")) }
    return .init(id: id, kind: .init(recordType: row.type), label: row.label.isEmpty ? "\(row.type) \(record.shortHex)" : row.label, facts: facts)
  }

  private func recordNode(_ record: ObjectID, id: String) throws -> LineageGraph.Node {
    let type = try type(of: record)
    let kind = LineageGraph.Node.Kind(recordType: type)
    var facts = [LineageGraph.Fact("record", record.text)]
    guard let read = try? index.record(record) else {
      facts.append(.init("state", "not in this clone"))
      return .init(id: id, kind: kind, label: record.shortHex, facts: facts)
    }
    let label = try index.database.first("SELECT label FROM records WHERE id = ?", .blob(record.bytes)) { $0.text(0) } ?? ""
    if let commit = try commit(of: record) { facts.append(.init("commit", commit.hex)) }
    for key in ["status", "verdict", "stage", "cmd", "start", "end", "time", "user", "host", "metrics", "seed", "url", "reason", "base"] {
      guard let value = read.json[key] else { continue }
      let text = value.string ?? value.array?.compactMap(\.string).joined(separator: " && ") ?? ""
      facts.append(.init(key, text.isEmpty ? String(decoding: value.canonical(), as: UTF8.self) : text))
    }
    for key in ["code", "environment", "log"] {
      guard let oid = read.json[key]?.array?.first?.string else { continue }
      facts.append(.init(key, "sha256:" + oid))
    }
    return .init(id: id, kind: kind, label: label.isEmpty ? "\(type) \(record.shortHex)" : label, facts: facts)
  }

  /// The first commit whose tree holds a record: what a record's commit is.
  func commit(of record: ObjectID) throws -> GitObjectID? {
    if let tables { return tables.numbers[record].flatMap { tables.commits[$0] } }
    return try index.database.first(
      """
      SELECT c.id FROM found f JOIN records r ON r.n = f.record JOIN commits c ON c.n = f."commit" WHERE r.id = ?
      ORDER BY c.time, c.n
      """, .blob(record.bytes)
    ) { try GitObjectID(bytes: $0.blob(0).span) }
  }
}
