public import DVObject

/// What a file or directory of a pipeline is: enough to tell whether it changed.
public struct ContentState: Hashable, Sendable {
  public enum Mode: String, Hashable, Sendable {
    case file
    /// A file that its owner may execute.
    case exec
    /// A directory that dv tracks, by the object ID of its tree.
    case tree
    /// A directory of files that git tracks or nobody does, by a digest of their names, modes and contents.
    case directory
  }

  public let mode: Mode
  public let oid: ObjectID
  /// Bytes of the file, or of all files of the directory. It does not count for a stage's key.
  public let size: UInt64

  public init(mode: Mode, oid: ObjectID, size: UInt64) {
    self.mode = mode
    self.oid = oid
    self.size = size
  }

  /// Whether both are the same content, wherever it lies.
  public func isSame(as other: ContentState) -> Bool { mode == other.mode && oid == other.oid }
}

/// A file or directory and what it is.
public struct PathState: Hashable, Sendable {
  public let path: StagePath
  public let content: ContentState

  public init(_ path: StagePath, _ content: ContentState) {
    self.path = path
    self.content = content
  }
}

/// The value of a parameter.
public struct ParameterValue: Hashable, Sendable {
  public let file: StagePath
  /// Empty for a file that is no mapping.
  public let name: String
  public let value: JSONValue

  public init(file: StagePath, name: String, value: JSONValue) {
    self.file = file
    self.name = name
    self.value = value
  }
}
