public import DVObject

/// What a transfer could not deliver, and what that affects.
public struct TransferFailure: Hashable, Sendable {
  public let key: ObjectKey
  /// Whether the bytes are damaged, rather than missing everywhere.
  public let isCorrupt: Bool
  /// What is wrong and where.
  public let message: String
  /// The paths of the files and directories that cannot be complete without the object.
  public var affects: [String]
}

/// What a transfer did.
public struct TransferReport: Sendable {
  /// Objects new at the destination.
  public var objects = 0
  /// Bytes written at the destination.
  public var bytes: UInt64 = 0
  /// Packs written at the destination.
  public var packs = 0
  /// Objects that were there already.
  public var skipped = 0
  public var failed: [TransferFailure] = []
  /// The numbers of the roots, as they were given, that are not complete for what failed.
  public var incompleteRoots: Set<Int> = []
  /// Contents that were left out because records say that they were erased, with the paths that have them.
  public var erased: [TransferFailure] = []

  public init() {}

  /// Adds what was brought before this transfer, which found it there.
  public mutating func include(_ written: WriteReport) {
    objects += written.objects
    bytes += written.storedBytes
    packs += written.packs
    skipped = max(0, skipped - written.objects)
  }

  /// Adds what another round did.
  mutating func add(_ other: TransferReport) {
    objects += other.objects
    bytes += other.bytes
    packs += other.packs
    skipped += other.skipped
    failed += other.failed
    erased += other.erased.filter { new in !erased.contains { $0.key == new.key } }
    incompleteRoots.formUnion(other.incompleteRoots)
  }
}
