public import DVFile
import DVObject
public import DVStore

/// Why the working tree could not be read or changed.
public struct WorkspaceError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Hashable, Sendable {
    /// The tree holds what cannot be tracked: a socket, a device, a link or a name that leaves the dataset.
    case unsupported
    /// Work of the user's would be lost; ``WorkspaceError/paths`` lists it.
    case conflict
    /// A file kept changing while it was read.
    case changed
    /// There is nothing at the path.
    case notFound
    /// The argument makes no sense here, such as a path in no tracked directory.
    case input
    /// Objects that are needed are not in the store.
    case missing
    /// Objects that are needed are damaged.
    case corrupt
    /// The file system refused.
    case denied
    case noSpace
    /// A pointer is not valid.
    case pointer
    /// Git left conflict markers in a pointer.
    case conflicted
    /// The store could not serve.
    case store
    case interrupted
    /// The file system folds two names into one.
    case collision
    case io
  }

  public let code: Code
  /// What was being done to which path, and what the person can do about it. Safe to print.
  public let message: String
  /// The paths concerned, relative to the working tree's root, in order.
  public let paths: [TreePath]
  /// The failure beneath.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, paths: [TreePath] = [], cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.paths = paths
    self.cause = cause
  }

  /// Wraps a failure of the file system, keeping its kind and its words.
  public init(_ error: FileError) {
    let code: Code =
      switch error.code {
      case .notFound: .notFound
      case .denied, .readOnly: .denied
      case .noSpace: .noSpace
      case .changed: .changed
      case .corrupt: .corrupt
      case .unsupported, .notRegular, .symlink: .unsupported
      case .input: .input
      default: .io
      }
    self.init(code, error.message, cause: error)
  }

  /// Wraps a failure of a floor below, keeping its kind and its words.
  public init(wrapping error: any Error) {
    switch error {
    case let error as WorkspaceError: self = error
    case let error as FileError: self.init(error)
    case let error as ObjectFormatError: self.init(error)
    case let error as StoreError: self.init(error)
    case is CancellationError: self.init(.interrupted, "Interrupted.", cause: error)
    default: self.init(.io, "\(error)", cause: error)
    }
  }

  /// Wraps a failure of the store, keeping its kind and its words.
  public init(_ error: StoreError) {
    let code: Code =
      switch error.code {
      case .missing: .missing
      case .corrupt: .corrupt
      case .denied: .denied
      case .noSpace: .noSpace
      case .changed: .changed
      default: .store
      }
    self.init(code, error.message, cause: error)
  }

  /// Wraps bytes that are no valid object.
  init(_ error: ObjectFormatError) { self.init(.corrupt, error.message, cause: error) }

  public var description: String { message }
}
