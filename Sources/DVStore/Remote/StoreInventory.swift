import DVBackend
public import DVObject

/// What a store holds, as its listings and its index say.
public struct StoreInventory: Sendable {
  /// Packs as they are, against the index.
  public let packs: PackSurvey
  /// Objects that the index knows; one in two places counts twice.
  public let objects: Int
  /// Index segments.
  public let segments: Int
  /// Pushes that are under way or were killed.
  public let pending: Int
  /// Packs that gc means to delete.
  public let condemned: Int
  /// Contents that pushes made complete.
  public let roots: Int
  /// How many of them are not complete any more, by listings and index.
  public var incompleteRoots: Int { incomplete.count }
  private let complete: Set<RootRecord.Root>
  private let incomplete: Set<RootRecord.Root>

  /// Looks.
  ///
  /// Costs listings, the records and the index; and all nodes and lists if packs are not as they should be, to tell what
  /// that makes incomplete.
  public init(of store: ObjectStore) async throws(StoreError) {
    var contents = try await RemoteContents(of: store)
    complete = contents.recorded
    roots = complete.count
    packs = contents.packs
    var incomplete: Set<RootRecord.Root> = []
    if packs.isDoubtful {
      for root in complete where try await contents.state(root.kind, oid: root.oid, size: root.size) != .complete {
        incomplete.insert(root)
      }
    }
    self.incomplete = incomplete
    let segments = store.index.all
    self.segments = segments.count
    objects = segments.reduce(0) { $0 + $1.head.entryCount }
    condemned = try await CondemnedList(of: store).packs.count
    pending = try await store.list(StoreLayout.pending).count
  }

  /// Whether a push made this content complete, and no pack that the index names is damaged.
  public func isComplete(_ kind: TransferRoot.Kind, oid: ObjectID, size: UInt64) -> Bool {
    let root = RootRecord.Root(kind: kind, oid: oid, size: size)
    return packs.findings.isEmpty && complete.contains(root) && !incomplete.contains(root)
  }
}

/// What pushes made complete on a remote.
public struct CompleteRoots: Sendable {
  private let complete: Set<RootRecord.Root>

  /// Reads the root records of `store`.
  public init(of store: ObjectStore) async throws(StoreError) {
    complete = try await RootLedger(of: store).complete
  }

  /// Whether a push made this content complete.
  public func contains(_ kind: TransferRoot.Kind, oid: ObjectID, size: UInt64) -> Bool {
    complete.contains(RootRecord.Root(kind: kind, oid: oid, size: size))
  }
}
