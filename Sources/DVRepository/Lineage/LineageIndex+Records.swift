import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVSQLite

extension LineageIndex {
  /// Adds a record, or what is new about one that is there.
  ///
  /// - Returns: its number.
  func add(_ record: Record, details: [UInt8]?, isOwn: Bool) throws -> Int64 {
    let known = try database.first("SELECT n, partial FROM records WHERE id = ?", .blob(record.id.bytes)) {
      (n: $0.integer(0), isPartial: $0.integer(1) == 1)
    }
    if let known {
      if isOwn { try database.run("UPDATE records SET own = 1 WHERE n = ?", .integer(known.n)) }
      guard known.isPartial, details != nil else { return known.n }
      try database.run("DELETE FROM uses WHERE record = ?", .integer(known.n))
      try database.run("DELETE FROM links WHERE record = ?", .integer(known.n))
    } else {
      try database.run(
        "INSERT INTO records(id, type, own, bytes) VALUES(?, ?, ?, ?)", .blob(record.id.bytes), .text(record.type),
        .integer(isOwn ? 1 : 0), .blob(record.bytes))
    }
    let n = known?.n ?? database.lastRow
    var isPartial = false
    var (time, label, base): (Int64?, String?, [UInt8]?) = (record.json["end"]?.integer ?? record.json["time"]?.integer, nil, nil)
    if record.type == RunRecord.type {
      let run = try RunRecord(record, details: details)
      isPartial = run.isPartial
      time = run.end
      label = run.stage ?? run.commands.first.map { String($0.prefix(120)) }
      base = run.base.flatMap { try? GitObjectID(hex: $0).bytes }
      for state in run.inputs { try add(state, .input, n, isCached: true) }
      for state in run.outputs { try add(state, .output, n, isCached: !run.uncached.contains(state.path)) }
    } else {
      isPartial = RunRecord.details(of: record) != nil
      try addOther(record, n)
      label = record.json["verdict"]?.string ?? record.json["url"]?.string ?? record.json["reason"]?.string
    }
    try database.run(
      "UPDATE records SET time = ?, partial = ?, label = ?, base = ?, status = ? WHERE n = ?", .optional(time), .integer(isPartial ? 1 : 0),
      .optional(label), .optional(base), .optional(record.json["status"]?.string), .integer(n))
    return n
  }

  private func add(_ state: PathState, _ role: DataRole, _ n: Int64, isCached: Bool) throws {
    try addUse(
      n, role, path: state.path.text, oid: state.content.oid, mode: state.content.mode.rawValue,
      size: Int64(clamping: state.content.size), isCached: isCached)
  }

  private func addUse(_ n: Int64, _ role: DataRole, path: String, oid: ObjectID, mode: String, size: Int64, isCached: Bool) throws {
    try database.run(
      "INSERT INTO uses VALUES(?, ?, ?, ?, ?, ?, ?)", .integer(n), .integer(role.rawValue), .text(path), .blob(oid.bytes),
      .text(mode), .integer(size), .integer(isCached ? 1 : 0))
  }

  /// A record of a kind that others define: what it says of data and of other records is taken from its members.
  ///
  /// A value with `path` and `oid` is data; `run`, `record`, `previous` and `model` with 64 hex digits are other records.
  private func addOther(_ record: Record, _ n: Int64) throws {
    let role: DataRole = record.type == "source" || record.type == "import" ? .source : .subject
    if record.type != "reproduction" {
      func visit(_ value: JSONValue, depth: Int) throws {
        guard depth < 4 else { return }
        if let path = value["path"]?.string, let oid = value["oid"]?.string.flatMap(Self.oid) {
          try addUse(
            n, role, path: path, oid: oid, mode: value["mode"]?.string ?? value["kind"]?.string ?? "file",
            size: value["size"]?.integer ?? 0, isCached: true)
        }
        for member in value.object?.members ?? [] { try visit(member.value, depth: depth + 1) }
        for element in value.array ?? [] { try visit(element, depth: depth + 1) }
      }
      try visit(.object(record.json), depth: 0)
    }
    for key in ["run", "record", "previous", "model"] {
      guard let target = record.json[key]?.string.flatMap(Self.oid) else { continue }
      try database.run("INSERT INTO links VALUES(?, ?, ?)", .integer(n), .text(key), .blob(target.bytes))
    }
  }

  /// An object ID with or without `sha256:`.
  static func oid(_ text: String) -> ObjectID? {
    (try? ObjectID(text: text)) ?? (try? ObjectID(hex: text))
  }

  /// Reads a record again from its bytes, which its name proves.
  func record(_ id: ObjectID) throws -> Record? {
    guard let bytes = try database.first("SELECT bytes FROM records WHERE id = ?", .blob(id.bytes), body: { $0.blob(0) }) else {
      return nil
    }
    return try Record(decoding: bytes, named: id)
  }
}
