import CSQLite

/// Why a database could not do what was asked.
public struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Sendable {
    /// The file is no database, or damaged.
    case damaged
    /// Another process held it for too long.
    case busy
    /// It cannot be written: permissions, a full disk.
    case notWritable
    case other
  }

  public let code: Code
  /// What was being done, and SQLite's reason.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  init(status: CInt, operation: String, reason: String) {
    let code: Code =
      switch status & 0xff {
      case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT: .damaged
      case SQLITE_BUSY, SQLITE_LOCKED: .busy
      case SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_PERM, SQLITE_IOERR: .notWritable
      default: .other
      }
    self.init(code, "Cannot \(operation): \(reason).")
  }
}
