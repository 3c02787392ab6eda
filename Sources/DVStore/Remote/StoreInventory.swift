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
  private let complete: Set<RootRecord.Root>

  /// Looks.
  public init(of store: ObjectStore) async throws(StoreError) {
    complete = try await RecordList(StoreLayout.roots, of: store).complete
    roots = complete.count
    packs = try await PackSurvey(of: store)
    let segments = store.index.all
    self.segments = segments.count
    objects = segments.reduce(0) { $0 + $1.head.entryCount }
    condemned = try await CondemnedList(of: store).packs.count
    do { pending = try await store.backend.list(StoreLayout.pending).count } catch { throw StoreError(error) }
  }

  /// Whether a push made this content complete, and no pack that the index names is damaged.
  public func isComplete(_ kind: TransferRoot.Kind, oid: ObjectID, size: UInt64) -> Bool {
    packs.findings.isEmpty && complete.contains(RootRecord.Root(kind: kind, oid: oid, size: size))
  }
}

/// What pushes made complete on a remote.
public struct CompleteRoots: Sendable {
  private let complete: Set<RootRecord.Root>

  /// Reads the root records of `store`.
  public init(of store: ObjectStore) async throws(StoreError) {
    complete = try await RecordList(StoreLayout.roots, of: store).complete
  }

  /// Whether a push made this content complete.
  public func contains(_ kind: TransferRoot.Kind, oid: ObjectID, size: UInt64) -> Bool {
    complete.contains(RootRecord.Root(kind: kind, oid: oid, size: size))
  }
}
