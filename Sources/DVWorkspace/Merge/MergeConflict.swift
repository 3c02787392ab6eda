public import DVObject

/// A path that both sides of a merge changed, each in its own way.
public struct MergeConflict: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    /// Both changed the content.
    case bothModified = "both modified"
    /// Both added something else under the name.
    case bothAdded = "both added"
    /// Ours removed what theirs changed.
    case removedByUs = "removed by us, modified by them"
    /// Theirs removed what ours changed.
    case removedByThem = "modified by us, removed by them"
    /// One is a directory or a link and the other is not.
    case type = "of different types"
  }

  public let path: TreePath
  public let kind: Kind

  public init(path: TreePath, kind: Kind) {
    self.path = path
    self.kind = kind
  }
}

/// What came of merging two trees.
public enum MergeOutcome: Hashable, Sendable {
  /// The merged tree.
  case merged(oid: ObjectID, totals: TreeTotals)
  /// Both sides changed the same: `count` paths, of which the first are listed.
  case conflicted([MergeConflict], count: Int)
}
