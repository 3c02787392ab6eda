import DVFile
import DVObject

/// Why a record cannot be read or written.
public struct RecordError: Error, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The bytes are not those that the name is the digest of.
    case altered
    /// The bytes are no record, or of a version that this dv does not know.
    case malformed
    /// It does not fit its limit.
    case tooLarge
    /// A file cannot be read or written.
    case file
  }

  public let code: Code
  /// Which record, what is wrong with it and, where there is one, the remedy.
  public let message: String
  /// The failure beneath.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  init(_ error: FileError) { self.init(.file, error.message, cause: error) }

  public var description: String { message }
}
