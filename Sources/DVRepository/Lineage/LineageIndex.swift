import DVFile
import DVGit
import DVLineage
import DVObject
import DVSQLite
import SystemPackage

/// What git history, records and tags say, in tables that answer questions: `<git directory>/dv/lineage.sqlite`.
///
/// It is never the truth. It can be deleted at any time, is rebuilt from what it was built from, and is brought up to date
/// before each question, at the cost of what is new. A row about a record holds the record's bytes, whose name proves them.
///
/// Paths are texts: bytes of a path that are no UTF-8 are replaced.
final class LineageIndex {
  let database: SQLiteDatabase
  /// An index of another version is made anew.
  static let version: Int64 = 3

  /// Opens the index of a clone; one of another version, or a damaged one, is made anew. In a clone that cannot be written it is in
  /// memory, and gone after the question.
  convenience init(of repository: Repository) throws {
    self.init(try Self.opened(in: repository.dataDirectory))
  }

  private static func opened(in directory: FilePath) throws -> SQLiteDatabase {
    do {
      try directory.createDirectories()
      return try openOrReplace(directory.appending("lineage.sqlite"))
    } catch let error as SQLiteError where error.code == .notWritable {
      return try passing()
    } catch is FileError {
      return try passing()
    }
  }

  /// What a file that nobody else sees, and that is gone with the connection, holds when it grows.
  private static func passing() throws -> SQLiteDatabase {
    let database = try SQLiteDatabase(.passing)
    try database.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -131072;")
    try database.execute(schema)
    return database
  }

  private init(_ database: SQLiteDatabase) { self.database = database }

  private static func openOrReplace(_ path: FilePath) throws -> SQLiteDatabase {
    do {
      return try open(path)
    } catch let error as SQLiteError where error.code == .damaged {
      for suffix in ["", "-wal", "-shm"] {
        let file = FilePath(path.string + suffix)
        if try file.fileStat() != nil { try file.removeFile() }
      }
      return try open(path)
    }
  }

  /// Makes an index from nothing, which nothing kept can have told wrong things to: for an audit.
  convenience init() throws {
    self.init(try Self.passing())
  }

  private static func open(_ path: FilePath) throws -> SQLiteDatabase {
    let database = try SQLiteDatabase(path)
    // What a crash loses is built again: no sync is worth its time.
    try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;")
    let found = try database.first("PRAGMA user_version") { $0.integer(0) } ?? 0
    if found == version { return database }
    // Two programs at a time: the second finds the tables made.
    try database.execute("BEGIN IMMEDIATE")
    let now = try database.first("PRAGMA user_version") { $0.integer(0) } ?? 0
    guard now != version else {
      try database.execute("COMMIT")
      return database
    }
    guard now == 0 else {
      try database.execute("ROLLBACK")
      throw SQLiteError(.damaged, "'\(path)' has another version.")
    }
    try database.execute(schema)
    try database.execute("COMMIT")
    return database
  }

  private static let schema = """
    CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
    CREATE TABLE commits(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, time INTEGER, author TEXT, subject TEXT);
    CREATE TABLE parents(child INTEGER, parent INTEGER, PRIMARY KEY(child, parent)) WITHOUT ROWID;
    CREATE TABLE versions(n INTEGER PRIMARY KEY, path TEXT NOT NULL, oid BLOB NOT NULL, kind TEXT, size INTEGER, files INTEGER,
      UNIQUE(path, oid));
    CREATE INDEX versions_oid ON versions(oid);
    CREATE TABLE changes(path TEXT, "commit" INTEGER, version INTEGER, run BLOB, PRIMARY KEY(path, "commit")) WITHOUT ROWID;
    CREATE INDEX changes_version ON changes(version);
    CREATE INDEX changes_commit ON changes("commit");
    CREATE TABLE records(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, type TEXT, time INTEGER, own INTEGER, partial INTEGER,
      label TEXT, status TEXT, base BLOB, bytes BLOB);
    CREATE INDEX records_base ON records(base);
    CREATE TABLE found(record INTEGER, "commit" INTEGER, PRIMARY KEY(record, "commit")) WITHOUT ROWID;
    CREATE INDEX found_commit ON found("commit");
    CREATE TABLE uses(record INTEGER, role INTEGER, path TEXT, oid BLOB, mode TEXT, size INTEGER, cached INTEGER);
    CREATE INDEX uses_record ON uses(record);
    CREATE INDEX uses_oid ON uses(oid);
    CREATE INDEX uses_path ON uses(path);
    CREATE TABLE links(record INTEGER, role TEXT, target BLOB);
    CREATE INDEX links_record ON links(record);
    CREATE INDEX links_target ON links(target);
    CREATE TABLE tags(name TEXT PRIMARY KEY, object BLOB, target BLOB, model TEXT, version TEXT, alias TEXT, number INTEGER,
      time INTEGER, tagger TEXT, signed INTEGER, path TEXT, oid BLOB, run BLOB, previous BLOB, message TEXT);
    CREATE INDEX tags_model ON tags(model);
    CREATE INDEX tags_oid ON tags(oid);
    CREATE INDEX tags_target ON tags(target);
    CREATE TABLE differences(old BLOB, new BLOB, added INTEGER, removed INTEGER, changed INTEGER, PRIMARY KEY(old, new)) WITHOUT ROWID;
    CREATE TABLE problems(subject TEXT, text TEXT, PRIMARY KEY(subject, text)) WITHOUT ROWID;
    CREATE TABLE trees(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, level INTEGER);
    CREATE TABLE branches(child INTEGER, parent INTEGER, PRIMARY KEY(child, parent)) WITHOUT ROWID;
    CREATE TABLE contents(prefix INTEGER, tree INTEGER, PRIMARY KEY(prefix, tree)) WITHOUT ROWID;
    PRAGMA user_version = 3;
    """

  // MARK: - Values that are kept

  func meta(_ key: String) throws -> [UInt8]? {
    try database.first("SELECT value FROM meta WHERE key = ?", .text(key)) { $0.blob(0) }
  }

  func setMeta(_ key: String, _ value: [UInt8]) throws {
    try database.run("INSERT OR REPLACE INTO meta VALUES(?, ?)", .text(key), .blob(value))
  }

  func note(_ subject: String, _ problem: String) throws {
    try database.run("INSERT OR IGNORE INTO problems VALUES(?, ?)", .text(subject), .text(problem))
  }

  /// What was found damaged while it was built, in words.
  func problems() throws -> [String] {
    var problems = try database.all("SELECT text FROM problems ORDER BY subject, text") { $0.text(0) }
    let partial = try partialRuns()
    if partial > 0 {
      problems.append("Of \(partial) runs not all is here, as it did not fit their records. 'dv fetch' gets it from the remote.")
    }
    return problems
  }
}

/// How a record uses data.
enum DataRole: Int64 {
  case input = 0
  case output = 1
  /// Imported from a source.
  case source = 2
  /// What the record is about: a profile, an attestation.
  case subject = 3
}
