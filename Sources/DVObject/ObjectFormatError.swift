/// Why bytes or text are not what they should be: an ID, a chunk list, a tree node, a pointer or a pack.
public struct ObjectFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Hashable, Sendable {
    /// The bytes do not follow the format, or are not its one canonical encoding.
    case malformed
    /// The structure's own hash does not match its bytes.
    case damaged
    /// The bytes are of a version, or need a feature, that this version of dv does not know.
    case unsupported
    /// More bytes, entries or levels than the format allows.
    case tooLarge
    /// A sum does not fit 64 bits.
    case overflow
    /// A name that no tree may hold.
    case name
    /// An entry that does not come after the one before it.
    case order
    /// A pointer that git left with conflict markers.
    case conflicted
  }

  public let code: Code
  /// What was expected and what was found and, where there is one, the remedy.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}

extension ObjectFormatError {
  static func malformed(_ message: String) -> Self { Self(.malformed, message) }

  static func wrongLength(of what: String, expected: Int, actual: Int) -> Self {
    Self(.malformed, "\(what) has \(actual) bytes, expected \(expected).")
  }
}
