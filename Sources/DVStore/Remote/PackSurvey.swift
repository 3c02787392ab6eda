import DVBackend
public import DVObject

/// The packs of a store as they are, against what its index says of them.
public struct PackSurvey: Sendable {
  /// A pack that is not what the index says.
  public struct Finding: Hashable, Sendable {
    public let pack: ObjectID
    /// Bytes it should have.
    public let expected: UInt64
    /// Bytes it has; `nil` if it is not there.
    public let actual: UInt64?
  }

  /// Packs that are there, and their bytes.
  public private(set) var count = 0
  public private(set) var bytes: UInt64 = 0
  /// Packs that are there and that no index names: of sessions under way, or of killed ones.
  public private(set) var unindexed = 0
  /// Packs that are missing or of another length than the index says, by name.
  public private(set) var findings: [Finding] = []

  /// Whether records of what is complete are not to be believed without a look at the index: packs are not as they should
  /// be, or stand in no index, as they do after an index segment was lost.
  var isDoubtful: Bool { !findings.isEmpty || unindexed > 0 }

  /// The packs that cannot be relied on.
  var unsound: Set<ObjectID> { Set(findings.map(\.pack)) }

  /// Lists the packs of `store` and compares. Notices what was truncated, replaced or deleted behind dv's back; damage that
  /// leaves the length as it was is found by reading.
  public init(of store: ObjectStore) async throws(StoreError) {
    try await store.index.load()
    try await look(at: store)
    if findings.isEmpty { return }
    // Another process may have merged packs between the two looks: what is wrong now is wrong.
    try await store.refresh()
    try await look(at: store)
  }

  private mutating func look(at store: ObjectStore) async throws(StoreError) {
    let listed: [BackendEntry]
    do { listed = try await store.backend.list(StoreLayout.packs) } catch { throw StoreError(error) }
    var sizes: [ObjectID: UInt64] = [:]
    sizes.reserveCapacity(listed.count)
    for entry in listed {
      if let id = StoreLayout.pack(from: entry.key) { sizes[id] = entry.size }
    }
    var named: Set<ObjectID> = []
    var wrong: [ObjectID: UInt64] = [:]
    for segment in store.index.all {
      for container in segment.head.containers where container.kind == .pack {
        named.insert(container.id)
        if sizes[container.id] != container.size { wrong[container.id] = container.size }
      }
    }
    count = sizes.count
    bytes = sizes.values.reduce(0, &+)
    unindexed = sizes.keys.count { !named.contains($0) }
    findings = wrong.map { Finding(pack: $0.key, expected: $0.value, actual: sizes[$0.key]) }
      .sorted { $0.pack < $1.pack }
  }
}
