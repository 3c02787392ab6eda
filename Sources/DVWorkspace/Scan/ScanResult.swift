public import DVFile
public import DVObject

/// What a scan found.
public struct ScanResult: Sendable {
  /// All that is there. Files that must be read have no oid yet.
  public var state: TreeState
  /// A digest of the ignore rules above the target.
  public let rules: ObjectID
  /// The clock when the scan began.
  public let start: FileTime
  /// How many files must be read to know their content.
  public let toHash: Int
  /// What cannot be tracked, in the order it was found.
  public let problems: [ScanProblem]
  /// Temporary files of earlier runs of dv that were killed, relative to the target.
  public let leftovers: [TreePath]

  init(
    state: TreeState, rules: ObjectID, start: FileTime, toHash: Int, problems: [ScanProblem] = [],
    leftovers: [TreePath] = []
  ) {
    self.state = state
    self.rules = rules
    self.start = start
    self.toHash = toHash
    self.problems = problems
    self.leftovers = leftovers
  }

  /// The oid of the whole, if the cache vouches for all of it.
  public var oid: ObjectID? { problems.isEmpty ? state.oid : nil }

  /// The pointer to what is there, without a run, if the cache vouches for all of it and nothing is there that cannot be
  /// tracked.
  public var pointer: Pointer? { problems.isEmpty ? state.pointer : nil }

  /// How many bytes must be read to know their content.
  public var bytesToHash: UInt64 { state.entries.reduce(0) { $1.isKnown ? $0 : $0 + $1.size } }

  /// Whether something that can be tracked is at `path`, relative to the target.
  public func contains(_ path: TreePath) -> Bool { path.isRoot || state.find(path) != nil }
}
