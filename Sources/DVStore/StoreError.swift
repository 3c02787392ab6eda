public import DVBackend
public import DVFile
public import DVObject

/// Why a store could not do what was asked.
public struct StoreError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Hashable, Sendable {
    /// No location of the object is known, here or in what was asked.
    case missing
    /// Bytes are not those that were stored.
    case corrupt
    /// The place cannot be reached or refuses to serve.
    case unreachable
    case denied
    case noSpace
    /// Another process holds what is needed.
    case busy
    /// Made by a newer dv.
    case format
    /// There is no store.
    case absent
    /// A source changed while it was read.
    case changed
    case other
  }

  public let code: Code
  /// What was being done, to which object or file, and what the person can do about it.
  public let message: String
  /// The object concerned, if one is.
  public let key: ObjectKey?
  /// The failure beneath.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, key: ObjectKey? = nil, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.key = key
    self.cause = cause
  }

  /// Wraps a backend's failure, keeping its kind.
  public init(_ error: BackendError, key: ObjectKey? = nil) {
    let code: Code =
      switch error.code {
      case .denied: .denied
      case .corrupt: .corrupt
      case .noSpace: .noSpace
      case .unreachable, .notFound: .unreachable
      case .invalid: .other
      }
    self.init(code, error.message, key: key, cause: error)
  }

  /// Wraps what a task threw that does several things at once.
  init(wrapping error: any Error) {
    switch error {
    case let error as StoreError: self = error
    case let error as BackendError: self.init(error)
    case let error as FileError: self.init(error)
    default: self.init(.other, "\(error)", cause: error)
    }
  }

  /// Wraps a failure of the local file system, keeping its kind.
  public init(_ error: FileError) {
    let code: Code =
      switch error.code {
      case .denied, .readOnly: .denied
      case .noSpace: .noSpace
      case .corrupt: .corrupt
      case .changed: .changed
      default: .other
      }
    self.init(code, error.message, cause: error)
  }

  public var description: String { message }
}
