import CSQLite

/// A prepared statement.
///
/// Reset after each use, because a statement that stands in the middle of its rows keeps the database locked.
@safe final class SQLiteStatement {
  private let pointer: OpaquePointer
  private let sql: String

  init(_ pointer: OpaquePointer, sql: String) {
    unsafe self.pointer = pointer
    self.sql = sql
  }

  deinit { unsafe sqlite3_finalize(pointer) }

  func run(_ values: [SQLiteValue]) throws(SQLiteError) {
    defer { unsafe sqlite3_reset(pointer) }
    try bind(values)
    while try step() {}
  }

  /// Runs with two numbers, without a list of values made for them.
  func run(_ first: Int64, _ second: Int64) throws(SQLiteError) {
    defer { unsafe sqlite3_reset(pointer) }
    try check(unsafe sqlite3_bind_int64(pointer, 1, first))
    try check(unsafe sqlite3_bind_int64(pointer, 2, second))
    while try step() {}
  }

  func rows(_ values: [SQLiteValue], _ body: (SQLiteRow) throws -> Void) throws {
    defer { unsafe sqlite3_reset(pointer) }
    try bind(values)
    while try step() { try body(unsafe SQLiteRow(pointer)) }
  }

  func first<Value>(_ values: [SQLiteValue], _ body: (SQLiteRow) throws -> Value) throws -> Value? {
    defer { unsafe sqlite3_reset(pointer) }
    try bind(values)
    return try step() ? try body(unsafe SQLiteRow(pointer)) : nil
  }

  private func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
    for (index, value) in values.enumerated() {
      let position = CInt(index + 1)
      let status: CInt =
        switch value {
        case .null: unsafe sqlite3_bind_null(pointer, position)
        case .integer(let number): unsafe sqlite3_bind_int64(pointer, position, number)
        case .text(let text): bind(Array(text.utf8), position, isText: true)
        case .blob(let bytes): bind(bytes, position, isText: false)
        }
      try check(status)
    }
  }

  private func bind(_ bytes: [UInt8], _ position: CInt, isText: Bool) -> CInt {
    unsafe bytes.withUnsafeBytes { buffer in
      isText
        ? unsafe dv_sqlite_bind_text(pointer, position, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(buffer.count))
        : unsafe dv_sqlite_bind_blob(pointer, position, buffer.baseAddress, CInt(buffer.count))
    }
  }

  /// Whether there is one more row.
  private func step() throws(SQLiteError) -> Bool {
    let status = unsafe sqlite3_step(pointer)
    if status == SQLITE_ROW { return true }
    if status != SQLITE_DONE { try check(status) }
    return false
  }

  private func check(_ status: CInt) throws(SQLiteError) {
    guard status != SQLITE_OK else { return }
    let reason = unsafe String(cString: sqlite3_errmsg(sqlite3_db_handle(pointer)))
    throw SQLiteError(status: status, operation: "run '\(sql.prefix(120))'", reason: reason)
  }
}

/// The row a query stands at. It must not outlive the call that it is passed to.
@safe public struct SQLiteRow {
  private let pointer: OpaquePointer

  init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

  public func isNull(_ column: Int) -> Bool { unsafe sqlite3_column_type(pointer, CInt(column)) == SQLITE_NULL }

  public func integer(_ column: Int) -> Int64 { unsafe sqlite3_column_int64(pointer, CInt(column)) }

  /// A text; empty for null.
  public func text(_ column: Int) -> String { String(decoding: blob(column), as: UTF8.self) }

  /// Bytes; empty for null.
  public func blob(_ column: Int) -> [UInt8] {
    let count = unsafe Int(sqlite3_column_bytes(pointer, CInt(column)))
    guard count > 0, let bytes = unsafe sqlite3_column_blob(pointer, CInt(column)) else { return [] }
    return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: count))
  }
}
