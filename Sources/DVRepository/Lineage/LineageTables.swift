import DVGit
import DVObject
import DVSQLite

/// The tables of the index that a walk down asks for each node, read at once: a walk through tens of thousands of runs would else
/// ask hundreds of thousands of small questions.
///
/// Takes some 400 bytes for each run with its inputs and outputs.
final class LineageTables {
  struct Use {
    let record: Int64
    let role: Int64
    let path: String
    let oid: ObjectID
  }

  struct RecordRow {
    let id: ObjectID
    let type: String
    let label: String
    let status: String?
    let time: Int64?
  }

  struct Version {
    let path: String
    let kind: String
    let size: Int64
    let files: Int64
  }

  private(set) var numbers: [ObjectID: Int64] = [:]
  private(set) var records: [Int64: RecordRow] = [:]
  /// In the order of records.
  private(set) var usesByContent: [ObjectID: [Use]] = [:]
  private(set) var usesByRecord: [Int64: [Use]] = [:]
  private(set) var versions: [ObjectID: [Version]] = [:]
  private(set) var introductions: [LineageKey: [GitObjectID]] = [:]
  private(set) var links: [ObjectID: [(record: Int64, role: String)]] = [:]
  private(set) var commits: [Int64: GitObjectID] = [:]

  /// Records from which on the tables would take too much memory.
  static let limit: Int64 = 500_000

  init(_ database: SQLiteDatabase) throws {
    try database.rows("SELECT n, id, type, label, status, time FROM records") { row in
      let id = try ObjectID(bytes: row.blob(1).span)
      numbers[id] = row.integer(0)
      records[row.integer(0)] = RecordRow(
        id: id, type: row.text(2), label: row.text(3), status: row.isNull(4) ? nil : row.text(4), time: row.isNull(5) ? nil : row.integer(5))
    }
    try database.rows("SELECT record, role, path, oid FROM uses ORDER BY record, rowid") { row in
      let use = Use(record: row.integer(0), role: row.integer(1), path: row.text(2), oid: try ObjectID(bytes: row.blob(3).span))
      usesByContent[use.oid, default: []].append(use)
      usesByRecord[use.record, default: []].append(use)
    }
    try database.rows("SELECT oid, path, kind, size, files FROM versions ORDER BY n") { row in
      versions[try ObjectID(bytes: row.blob(0).span), default: []].append(
        Version(path: row.text(1), kind: row.text(2), size: row.integer(3), files: row.integer(4)))
    }
    try database.rows(
      """
      SELECT v.path, v.oid, c.id FROM changes h JOIN versions v ON v.n = h.version JOIN commits c ON c.n = h."commit" ORDER BY c.time, c.n
      """
    ) { row in
      introductions[.data(path: row.text(0), oid: try ObjectID(bytes: row.blob(1).span)), default: []].append(
        try GitObjectID(bytes: row.blob(2).span))
    }
    try database.rows("SELECT target, record, role FROM links ORDER BY record") { row in
      links[try ObjectID(bytes: row.blob(0).span), default: []].append((row.integer(1), row.text(2)))
    }
    try database.rows(
      """
      SELECT f.record, c.id FROM found f JOIN commits c ON c.n = f."commit" ORDER BY c.time, c.n
      """
    ) { row in
      if commits[row.integer(0)] == nil { commits[row.integer(0)] = try GitObjectID(bytes: row.blob(1).span) }
    }
  }
}
