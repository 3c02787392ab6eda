public import DVObject
public import DVStore

/// What a check of one store found, in terms of the repository.
public struct CheckReport: Sendable {
  /// A path that something damaged or missing affects.
  public struct Affect: Hashable, Sendable {
    /// Of a file or directory, from the top of the working tree. Content that no pointer here names has the key of the root
    /// record in place of a path.
    public let path: [UInt8]
    /// Short names of the commits that have it, the newest first.
    public let commits: [String]
    /// Branches and tags whose newest commit has it.
    public let references: [String]
  }

  /// Something damaged or missing.
  public struct Damage: Sendable {
    public let finding: StoreFinding
    public let affects: [Affect]
    /// Other places with a good copy: `remote 'origin'`, `the local store`, `the file 'data/x.csv'`.
    public let elsewhere: [String]
  }

  /// What messages call the store.
  public let name: String
  /// The remote, if it is one.
  public let remote: String?
  /// Why nothing could be checked: the remote cannot be reached, or nothing was pushed to it.
  public internal(set) var problem: RepositoryError?
  public internal(set) var store = StoreCheckReport()
  public internal(set) var damage: [Damage] = []
  public internal(set) var elapsed: Duration = .zero
  /// Remotes that could not be asked for copies.
  public internal(set) var unreachable: [String] = []
  /// Versions of which something is not here, and that a remote has.
  public internal(set) var versionsElsewhere = 0
  /// Files that records say were erased and that pointers name still, by oid; whether they are here all the same.
  public internal(set) var erased: [(oid: ObjectID, item: Erasures.Item, isHere: Bool)] = []
  /// Pointers on disk that cannot be read.
  public internal(set) var unreadable: [UnreadablePointer] = []

  init(name: String, remote: String?) {
    self.name = name
    self.remote = remote
  }

  /// A remote that could not be checked.
  public init(failing remote: String, _ problem: RepositoryError) {
    self.init(name: "remote '\(remote)'", remote: remote)
    self.problem = problem
  }

  public var isSound: Bool { problem == nil && store.isSound && unreadable.isEmpty }
}
