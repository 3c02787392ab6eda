import DVFile

/// The body of an answer is not what the request must be answered with.
public struct S3AnswerError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Sendable {
    /// It is an error, although the status said success: S3 sends `200` before it has finished.
    case failed(S3ErrorBody)
    /// It cannot be read, or what it says makes no sense. It may have been cut off: another try may succeed.
    case malformed
  }

  public let code: Code
  /// What is wrong with it. Safe to print on a terminal.
  public let message: String

  init(_ error: S3ErrorBody) {
    code = .failed(error)
    message = error.description
  }

  init(_ error: XMLError, reading what: String) {
    code = .malformed
    message = "The server's \(what) is malformed at byte \(error.offset): \(TerminalSafe.text(error.reason))."
  }

  public var description: String { message }
}
