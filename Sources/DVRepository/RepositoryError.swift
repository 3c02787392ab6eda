
/// Why an operation could not do what was asked.
public struct RepositoryError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure this is; the program makes its exit code of it.
  public enum Code: Hashable, Sendable {
    /// The request makes no sense here: a path that is no data, a name that is taken.
    case usage
    /// Data is missing here and where it was looked for.
    case missing
    /// Bytes are not what their name says.
    case corrupt
    /// A remote does not answer or refuses.
    case unreachable
    /// Another process holds what is needed.
    case busy
    /// Work of the user's would be lost.
    case conflict
  }

  public let code: Code
  /// What was being done to which path or object, and why it failed.
  public let message: String
  /// What to do next.
  public let remedy: String?
  /// The failure beneath.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, remedy: String? = nil, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.remedy = remedy
    self.cause = cause
  }

  public var description: String { message }
}
