public import DVObject

/// What dv last knew of one tracked file or directory: its state, and the oid that was last added or checked out there.
///
/// It saves time, and tells which files dv put there. A cache that is absent, damaged, of another version or written by a machine of another
/// byte order reads as `nil`, and everything is hashed again.
public struct StatCache: Sendable {
  /// What was on disk.
  public var state: TreeState
  /// The oid that was last added or checked out here, which the user's changes are counted from.
  public var saved: ObjectID?
  /// The ignore rules that were in force; with others, names that were left out may count now.
  public var rules: ObjectID

  public init(state: TreeState, saved: ObjectID?, rules: ObjectID) {
    self.state = state
    self.saved = saved
    self.rules = rules
  }

  /// Returns the file name of the cache of the target at `path`, relative to the working tree's root.
  ///
  /// It is made from the relative path, so a clone that was moved finds its caches.
  public static func fileName(forTarget path: TreePath) -> String { ObjectID(hashing: path.bytes.span).hex }
}

extension IgnoreRules {
  /// A digest of all lines, for telling whether the rules changed.
  var digest: ObjectID {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return ObjectID(hashing: bytes.span)
  }
}
