/// Why credentials could not be had.
public struct CredentialError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Hashable, Sendable {
    /// A setting or an answer makes no sense: a broken file, half a key pair, a profile that does not exist.
    case invalid
    /// What is configured works with other programs, but dv does not do it, such as asking for a one-time code.
    case unsupported
    /// They had a term that is over; the person must sign in again.
    case expired
    /// Whoever gives them out refuses.
    case denied
    /// Whoever gives them out did not answer; another try may succeed.
    case unreachable
  }

  public let code: Code
  /// What was tried, why it failed, and what the person can do about it. Holds no secret; safe to print on a terminal.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
