public import DVObject
public import DVWorkspace

/// What an add did.
public struct AddReport: Sendable {
  /// One path that was added.
  public struct Item: Sendable {
    /// As it was named, relative to the working tree's root: a target, or something inside one.
    public let path: TreePath
    /// The path of the pointer.
    public let pointerPath: TreePath
    /// What the pointer says now.
    public let pointer: Pointer
    /// Whether the pointer names another version than before, or there was none.
    public let isChanged: Bool
    /// Whether the path was deleted on disk and therefore taken out of its target.
    public let isRemoval: Bool
    /// Whether the pointer named a run that did not make what is there now.
    public let lostRun: Bool
    /// Bytes that the store did not have, before compression.
    public let newBytes: UInt64
    /// Bytes that the store took for them.
    public let storedBytes: UInt64
  }

  /// In the order in which they were named.
  public internal(set) var items: [Item] = []
}
