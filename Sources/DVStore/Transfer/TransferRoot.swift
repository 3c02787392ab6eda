public import DVObject

/// What a transfer is asked to make complete at its destination: the content of one pointer, or a part of it.
public struct TransferRoot: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    case file
    case tree
  }

  public let kind: Kind
  public let oid: ObjectID
  /// Bytes of the file, or of all files of the tree.
  public let size: UInt64
  /// What messages call it: the path of the data in the repository.
  public let label: String
  /// The part of a tree that is wanted: names of directories from its root on, the last may be a file. Empty: all.
  public let inside: [TreeName]

  public init(kind: Kind, oid: ObjectID, size: UInt64, label: String, inside: [TreeName] = []) {
    self.kind = kind
    self.oid = oid
    self.size = size
    self.label = label
    self.inside = inside
  }
}

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
