import CSQLite
public import SystemPackage

/// One connection to a database in a file, or in memory.
///
/// It belongs to one task at a time. Statements are prepared once and kept: the same text gives the same statement.
@safe public final class SQLiteDatabase {
  private let connection: OpaquePointer
  private var statements: [String: SQLiteStatement] = [:]

  /// Where a database is.
  public enum Place: Sendable {
    case file(FilePath)
    case memory
    /// In memory, and what does not fit its cache in a file that nobody else sees.
    case passing
  }

  /// Opens a database in a file, and makes it if it is not there; `nil` for one in memory.
  ///
  /// - Throws: ``SQLiteError``. A file that is no database shows at the first statement.
  public convenience init(_ path: FilePath?) throws(SQLiteError) { try self.init(path.map { .file($0) } ?? .memory) }

  /// Opens the database.
  ///
  /// - Throws: ``SQLiteError``. A file that is no database shows at the first statement.
  public init(_ place: Place) throws(SQLiteError) {
    let (name, label) =
      switch place {
      case .file(let path): (path.string, "'\(path)'")
      case .memory: (":memory:", "a database in memory")
      case .passing: ("", "a passing database")
      }
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let status = unsafe sqlite3_open_v2(name, &opened, flags, nil)
    guard status == SQLITE_OK, let opened = unsafe opened else {
      let reason = unsafe String(cString: sqlite3_errstr(status))
      unsafe sqlite3_close_v2(opened)
      throw SQLiteError(status: status, operation: "open \(label)", reason: reason)
    }
    unsafe connection = opened
    unsafe sqlite3_busy_timeout(connection, 30_000)
  }

  deinit {
    // Statements hold the connection: close_v2 ends it with the last of them.
    statements.removeAll()
    unsafe sqlite3_close_v2(connection)
  }

  /// Runs statements without parameters.
  public func execute(_ sql: String) throws(SQLiteError) {
    let status = unsafe sqlite3_exec(connection, sql, nil, nil, nil)
    guard status == SQLITE_OK else { throw failure(status, sql) }
  }

  /// Runs one statement to its end.
  public func run(_ sql: String, _ values: SQLiteValue...) throws(SQLiteError) {
    try statement(sql).run(values)
  }

  /// Calls `body` with each row of a query.
  ///
  /// The statement is busy meanwhile: `body` must not run the same text.
  public func rows(_ sql: String, _ values: SQLiteValue..., body: (SQLiteRow) throws -> Void) throws {
    try statement(sql).rows(values, body)
  }

  /// Returns what `body` makes of each row.
  public func all<Value>(_ sql: String, _ values: SQLiteValue..., body: (SQLiteRow) throws -> Value) throws -> [Value] {
    var found: [Value] = []
    try statement(sql).rows(values) { found.append(try body($0)) }
    return found
  }

  /// Returns what `body` makes of the first row; `nil` if there is none.
  public func first<Value>(_ sql: String, _ values: SQLiteValue..., body: (SQLiteRow) throws -> Value) throws -> Value? {
    try statement(sql).first(values, body)
  }

  /// The row that was inserted last.
  public var lastRow: Int64 { unsafe sqlite3_last_insert_rowid(connection) }

  /// Runs `body` in a transaction: all of what it writes counts, or nothing.
  public func transaction<Value>(_ body: () throws -> Value) throws -> Value {
    try bracketed("BEGIN IMMEDIATE", body)
  }

  /// Runs `body` with everything it reads from one moment, and without a lock taken for each question: thousands of small ones take
  /// half the time.
  ///
  /// `body` must not write, nor begin a transaction. Inside of another transaction it is just called.
  public func reading<Value>(_ body: () throws -> Value) throws -> Value {
    guard unsafe sqlite3_get_autocommit(connection) != 0 else { return try body() }
    return try bracketed("BEGIN", body)
  }

  private func bracketed<Value>(_ beginning: String, _ body: () throws -> Value) throws -> Value {
    try execute(beginning)
    do {
      let value = try body()
      try execute("COMMIT")
      return value
    } catch {
      try? execute("ROLLBACK")
      throw error
    }
  }

  /// Runs one statement for each pair of numbers, which are its parameters: a million a second, where the pairs are in the order of the table.
  public func run(_ sql: String, pairs: some Sequence<(Int64, Int64)>) throws(SQLiteError) {
    let statement = try statement(sql)
    for pair in pairs { try statement.run(pair.0, pair.1) }
  }

  private func statement(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
    if let known = statements[sql] { return known }
    var made: OpaquePointer?
    let status = unsafe sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
    guard status == SQLITE_OK, let made = unsafe made else { throw failure(status, sql) }
    let statement = unsafe SQLiteStatement(made, sql: sql)
    statements[sql] = statement
    return statement
  }

  private func failure(_ status: CInt, _ sql: String) -> SQLiteError {
    SQLiteError(
      status: status, operation: "run '\(sql.prefix(120))'", reason: unsafe String(cString: sqlite3_errmsg(connection)))
  }
}
