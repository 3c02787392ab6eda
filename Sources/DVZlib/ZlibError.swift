/// What zlib, or the check of what it made, refused.
public struct ZlibError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Sendable {
    /// The bytes are no zlib stream, or a damaged one.
    case corrupt
    /// The stream is sound but holds another number of bytes than was said.
    case wrongSize
    /// There is no memory for zlib's state.
    case outOfMemory
    /// The call itself was wrong: a level that does not exist, or more than zlib takes at once.
    case invalid
  }

  public let code: Code
  /// What was being done and why it failed.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// Makes the error of a failed call from zlib's return code.
  init(status: CInt, operation: String) {
    switch status {
    case -4: self.init(.outOfMemory, "\(operation): out of memory.")
    case -2, -6: self.init(.invalid, "\(operation): zlib refused the call (code \(status)).")
    default: self.init(.corrupt, "\(operation): the bytes are damaged (zlib code \(status)).")
    }
  }

  public var description: String { message }
}
