import CZstd

/// What zstd, or the check of a frame before it, refused.
public struct ZstdError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Sendable {
    /// The bytes are no zstd frame, or a damaged one.
    case corrupt
    /// The frame holds, or would need, another number of bytes than was said.
    case wrongSize
    /// There is no memory for zstd's state.
    case outOfMemory
    /// The frame or the call asks for something that dv does not use, such as a dictionary.
    case unsupported
  }

  public let code: Code
  /// What was being done and why it failed.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// Makes the error of a failed call from what it returned.
  init(result: Int, operation: String) {
    let reason = unsafe String(cString: ZSTD_getErrorName(result))
    switch ZSTD_getErrorCode(result) {
    case ZSTD_error_memory_allocation: self.init(.outOfMemory, "\(operation): \(reason).")
    case ZSTD_error_parameter_unsupported, ZSTD_error_parameter_outOfBound,
      ZSTD_error_parameter_combination_unsupported:
      self.init(.unsupported, "\(operation): \(reason).")
    case ZSTD_error_dstSize_tooSmall: self.init(.wrongSize, "\(operation): \(reason).")
    default: self.init(.corrupt, "\(operation): \(reason).")
    }
  }

  public var description: String { message }
}
