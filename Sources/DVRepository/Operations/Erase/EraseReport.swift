public import DVObject
public import DVStore

/// What an erasure did, or would do.
public struct EraseReport: Sendable {
  /// One file.
  public struct Item: Sendable {
    public let oid: ObjectID
    /// Whether it was named by itself, not as one of a directory.
    public let isNamed: Bool
    /// The paths under which it was tracked or used.
    public internal(set) var paths: [String]
    /// What it ended up in, if it was named by itself.
    public internal(set) var graph = LineageGraph()
    /// The record that says so; `nil` before it is written.
    public internal(set) var record: ObjectID?
    public internal(set) var reason: String?
  }

  /// A directory or pattern that was named: all files in it go.
  public struct Directory: Sendable {
    /// As it was written.
    public let name: String
    /// How many contents it means, each counted once.
    public let files: Int
    /// What they ended up in.
    public let graph: LineageGraph
  }

  /// One store.
  public struct Place: Sendable {
    /// `the local store` or `remote 'lab'`.
    public let name: String
    public internal(set) var store = StoreErasureReport()
    /// Why it was not reached.
    public internal(set) var problem: String?
  }

  /// Somewhere it may be still.
  public struct Remainder: Hashable, Sendable {
    public let place: String
    public let advice: String
  }

  public internal(set) var items: [Item] = []
  public internal(set) var directories: [Directory] = []
  /// Trees that could not be searched for the files, because they are not here.
  public internal(set) var unsearchedTrees = 0
  public internal(set) var places: [Place] = []
  /// Paths of other contents that need some of the same chunks, which therefore stay.
  public internal(set) var sharedWith: [String] = []
  public internal(set) var notReached: [Remainder] = []
  /// Paths under which the working tree's pointers name it still.
  public internal(set) var stillTracked: [String] = []
  public let isDryRun: Bool

  /// Whether every store that was to be reached was.
  public var isComplete: Bool { places.allSatisfy { $0.problem == nil } }
}
