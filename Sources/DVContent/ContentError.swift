/// Why a content cannot be read as what it seems to be.
public struct ContentError: Error, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// It is no such file, or a damaged one.
    case malformed
    /// It is one of a kind that is not understood: encrypted, or with a codec of its own.
    case unsupported
    /// It would need more memory than is given to it.
    case tooLarge
    /// Its bytes could not be read.
    case unreadable
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
