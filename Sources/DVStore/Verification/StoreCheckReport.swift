import DVBackend
public import DVObject

/// What a check of a store found.
public struct StoreCheckReport: Sendable {
  /// Everything that is damaged or missing.
  public internal(set) var findings: [StoreFinding] = []
  public internal(set) var checked = CheckedCounts()
  /// The contents that were walked; impacts name them by number.
  public internal(set) var contents: [TransferRoot] = []
  /// How many of them, the first ones, must be whole here.
  var wholeCount = 0
  /// For each lost object, the paths that cannot be complete without it.
  public internal(set) var impacts: [ObjectKey: [Impact]] = [:]
  /// Objects that contents need which need not be here, and that are not.
  public internal(set) var absent = 0
  /// Contents that records say were erased and that pointers name still.
  public internal(set) var erased: Set<ObjectID> = []
  /// Those of them of which something is here all the same.
  public internal(set) var erasedAndHere: Set<ObjectID> = []
  /// Packs that no index names: of sessions under way, or of killed ones.
  public internal(set) var unindexedPacks = 0
  public internal(set) var unindexedBytes: UInt64 = 0
  /// Keys that nobody understands.
  public internal(set) var unknownKeys: [String] = []
  /// Keys under `quarantine/`: what repairs set aside.
  public internal(set) var quarantined = 0
  /// Folders that could not be listed, as of a web server, and were not looked at.
  public internal(set) var unlisted: [String] = []
  /// Listings for web servers that are older than the store, or of another one.
  public internal(set) var staleListings: [String] = []
  /// On a remote: how many of the given contents were never pushed to it.
  public internal(set) var unpushed = 0
  /// Packs that were read and found whole.
  public internal(set) var readPacks: Set<ObjectID> = []

  // What a repair goes by.
  var damagedSegments: [(key: BackendKey, id: ObjectID)] = []
  /// Packs with damage, and what of them is whole.
  var badPacks: [PackScan] = []
  /// Packs that the index names and that are not there.
  var missingPacks: Set<ObjectID> = []
  /// Whole-file containers that are damaged.
  var badFiles: [BackendKey] = []
  var records: RecordScan?
  var hints: HintScan?
  var isFormatDamaged = false
  /// Objects that should be here and have no good copy.
  var lost: [ObjectKey: ClosureCheck.Failure] = [:]
  /// Objects that are not in the index: a pack that is not indexed may have them.
  var unnamed: Set<ObjectKey> = []
  /// Packs that are there and that no index names.
  var unindexed: [IndexContainer] = []

  public init() {}

  /// Whether nothing is damaged or missing.
  public var isSound: Bool { findings.isEmpty }

  /// Whether all that was found is missing rather than damaged.
  public var isOnlyMissing: Bool { findings.allSatisfy { $0.isMissing && $0.kind == .object } }

  /// The objects that have no good copy in the store, in order.
  public var lostKeys: [ObjectKey] { lost.keys.sorted() }
}
