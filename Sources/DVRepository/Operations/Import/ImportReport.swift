public import DVLineage
public import DVObject
public import DVWorkspace

/// What an import or an update of one did.
public struct ImportReport: Sendable {
  /// Relative to the working tree's root.
  public let path: TreePath
  public let pointer: Pointer
  /// What was tracked there before.
  public let previous: Pointer?
  public let origin: SourceRecord.Origin
  /// The record of the source.
  public let record: ObjectID
  /// Whether the pointer names another content than before, or there was none.
  public let isChanged: Bool
}
