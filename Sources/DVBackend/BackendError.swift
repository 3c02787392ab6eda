import DVFile

/// A failure of a backend.
public struct BackendError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Hashable, Sendable {
    /// The backend refuses: permissions, credentials, read-only.
    case denied
    /// It did not answer, or the device failed; another try may succeed.
    case unreachable
    /// What is stored is not what it must be.
    case corrupt
    case noSpace
    /// The backend itself, such as a remote's directory, does not exist. An absent key is not an error but `nil`.
    case notFound
    /// What was asked makes no sense.
    case invalid
  }

  public let code: Code
  /// The key worked on, if it was one.
  public let key: BackendKey?
  /// What was being done to which key, why it failed, and what the person can do about it. Safe to print on a terminal.
  public let message: String
  /// The failure beneath, such as a system call's.
  public let cause: (any Error)?

  public init(_ code: Code, key: BackendKey? = nil, message: String, cause: (any Error)? = nil) {
    self.code = code
    self.key = key
    self.message = message
    self.cause = cause
  }

  public var description: String { message }
}

extension BackendError {
  static func invalidKey(_ text: String) -> BackendError {
    BackendError(
      .invalid,
      message:
        "'\(TerminalSafe.text(text))' is not a key: expected parts of a-z, 0-9, '.', '_' and '-' with '/' between, none empty or beginning with '.', the first not 'tmp', at most \(BackendKey.maximumLength) bytes."
    )
  }

  static func tooLarge(_ key: BackendKey, _ count: UInt64, in place: String) -> BackendError {
    BackendError(
      .invalid, key: key,
      message:
        "Cannot read \(count) bytes of '\(key)' in \(place) at once: at most \(wholeReadLimit) are read into memory.")
  }

  static func tooShort(_ key: BackendKey, _ range: Range<UInt64>, size: UInt64, in place: String) -> BackendError {
    BackendError(
      .corrupt, key: key,
      message:
        "'\(key)' in \(place) has \(size) bytes, expected at least \(range.upperBound): it is truncated. Run 'dv fsck' on it."
    )
  }

  static func otherBytes(_ key: BackendKey, file: String, in place: String) -> BackendError {
    BackendError(
      .corrupt, key: key,
      message:
        "Cannot store '\(key)' in \(place): '\(file)' has other bytes than were announced. Nothing was stored; try again."
    )
  }

  /// How many bytes a backend reads into memory for one call.
  public static let wholeReadLimit: UInt64 = 256 << 20
}
