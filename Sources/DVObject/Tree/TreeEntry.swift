/// What an entry of a tree is.
public enum EntryMode: UInt8, Sendable {
  case file = 1
  /// A file its owner may execute.
  case executable = 2
  case symlink = 3
  case directory = 4
}

/// One name in a directory and what stands under it.
public struct TreeEntry: Hashable, Sendable {
  public let name: TreeName
  public let mode: EntryMode
  /// Of a file: its content; of a symlink: its target's bytes; of a directory: the root node of its tree.
  public let oid: ObjectID
  /// How many bytes the content has; of a directory, all files below.
  public let size: UInt64
  /// How many files the entry stands for: 1, or the files below a directory.
  public let files: UInt64

  /// Makes an entry.
  ///
  /// - Precondition: Only a directory stands for another number of files than 1.
  public init(name: TreeName, mode: EntryMode, oid: ObjectID, size: UInt64, files: UInt64 = 1) {
    precondition(mode == .directory || files == 1)
    self.name = name
    self.mode = mode
    self.oid = oid
    self.size = size
    self.files = files
  }

  public var totals: TreeTotals { TreeTotals(files: files, bytes: size) }
}
