public import DVObject
public import DVWorkspace

/// One path of tracked data that differs between two versions.
public struct DataChange: Hashable, Sendable {
  /// What stands there in one of the versions.
  public struct Side: Hashable, Sendable {
    public let mode: EntryMode
    public let oid: ObjectID
    /// Bytes; of a directory, of all files below.
    public let size: UInt64
    /// 1, or the files below a directory.
    public let files: UInt64

    init(_ side: TreeChange.Side) {
      mode = side.mode
      oid = side.oid
      size = side.size
      files = side.mode == .directory ? 0 : 1
    }

    init(_ pointer: Pointer) {
      mode = pointer.mode
      oid = pointer.oid
      size = pointer.size
      files = pointer.files ?? 1
    }
  }

  /// Relative to the working tree's root.
  public let path: TreePath
  public let kind: TreeChange.Kind
  public let old: Side?
  public let new: Side?
  /// The old path of what was renamed.
  public let previousPath: TreePath?

  init(_ change: TreeChange) {
    path = change.path
    kind = change.kind
    old = change.old.map { Side($0) }
    new = change.new.map { Side($0) }
    previousPath = change.previousPath
  }

  init(path: TreePath, kind: TreeChange.Kind, old: Pointer?, new: Pointer?, previousPath: TreePath? = nil) {
    self.path = path
    self.kind = kind
    self.old = old.map { Side($0) }
    self.new = new.map { Side($0) }
    self.previousPath = previousPath
  }
}

/// What a comparison found, summed up.
public struct DataDifference: Sendable {
  /// How many files are of which kind.
  public internal(set) var added: UInt64 = 0
  public internal(set) var removed: UInt64 = 0
  /// Other content, mode or type.
  public internal(set) var modified: UInt64 = 0
  public internal(set) var renamed: UInt64 = 0
  /// Bytes that the new version has more at paths that grew or came, and less at paths that shrank or went.
  public internal(set) var grownBytes: UInt64 = 0
  public internal(set) var shrunkBytes: UInt64 = 0
  /// Data of which it could not be told file by file what differs, and how to get what that takes.
  public internal(set) var unlisted: [(target: TreePath, remedy: String)] = []
  /// Data that is not on disk, and was compared by its pointer.
  public internal(set) var notCheckedOut: [TreePath] = []
  public internal(set) var unreadable: [UnreadablePointer] = []

  /// Whether the two versions are the same.
  public var isEmpty: Bool { added == 0 && removed == 0 && modified == 0 && renamed == 0 && unreadable.isEmpty }

  mutating func count(_ change: DataChange) {
    let files = max(change.new?.files ?? 0, change.old?.files ?? 0, 1)
    switch change.kind {
    case .added: added = added.addingClamped(files)
    case .removed: removed = removed.addingClamped(files)
    case .modified, .mode, .type: modified = modified.addingClamped(change.old?.mode == .directory ? 1 : files)
    case .renamed: renamed = renamed.addingClamped(files)
    }
    let (before, after) = (change.old?.size ?? 0, change.new?.size ?? 0)
    if after > before {
      grownBytes = grownBytes.addingClamped(after - before)
    } else {
      shrunkBytes = shrunkBytes.addingClamped(before - after)
    }
  }
}
