import DVBackend
public import DVObject

/// The packs of a store as they are, against what its index says of them.
public struct PackSurvey: Sendable {
  /// A pack that is not what the index says.
  public struct Finding: Hashable, Sendable {
    public let pack: ObjectID
    /// Bytes it should have.
    public let expected: UInt64
    /// Bytes it has; `nil` if it is not there. As many as it should have, if it has other ones.
    public let actual: UInt64?

    /// Whether it has the right length and other bytes than its name says.
    public var isAltered: Bool { actual == expected }
  }

  /// Packs that are there, and their bytes.
  public private(set) var count = 0
  public private(set) var bytes: UInt64 = 0
  /// Packs that are there and that no index names: of sessions under way, or of killed ones.
  public private(set) var unindexed = 0
  /// Packs that are missing, of another length than the index says, or altered, by name.
  public private(set) var findings: [Finding] = []

  /// Whether records of what is complete are not to be believed without a look at the index: packs are not as they should
  /// be, or stand in no index, as they do after an index segment was lost.
  var isDoubtful: Bool { !findings.isEmpty || unindexed > 0 }

  /// The packs that cannot be relied on.
  var unsound: Set<ObjectID> { Set(findings.map(\.pack)) }

  /// Lists the packs of `store` and compares. Notices what was truncated or deleted behind dv's back, and what was replaced, if
  /// the listing shows it; other damage that leaves the length as it was is found by reading.
  public init(of store: ObjectStore) async throws(StoreError) {
    try await store.index.load()
    try await look(at: store)
    if findings.isEmpty { return }
    // Another process may have merged packs between the two looks: what is wrong now is wrong.
    try await store.refresh()
    try await look(at: store)
  }

  private mutating func look(at store: ObjectStore) async throws(StoreError) {
    let listed = try await store.list(StoreLayout.packs)
    var sizes: [ObjectID: UInt64] = [:]
    sizes.reserveCapacity(listed.count)
    var changed: [ObjectID: BackendKey] = [:]
    for entry in listed {
      guard let id = StoreLayout.pack(from: entry.key) else { continue }
      sizes[id] = entry.size
      if entry.isChanged { changed[id] = entry.key }
    }
    var named: Set<ObjectID> = []
    var wrong: [ObjectID: UInt64] = [:]
    for segment in store.index.all {
      for container in segment.head.containers where container.kind == .pack {
        named.insert(container.id)
        if sizes[container.id] != container.size { wrong[container.id] = container.size }
      }
    }
    changed = changed.filter { named.contains($0.key) && wrong[$0.key] == nil }
    for id in try await altered(changed, sizes, in: store.backend) { wrong[id] = sizes[id] }
    count = sizes.count
    bytes = sizes.values.reduce(0, &+)
    unindexed = sizes.keys.count { !named.contains($0) }
    findings = wrong.map { Finding(pack: $0.key, expected: $0.value, actual: sizes[$0.key]) }
      .sorted { $0.pack < $1.pack }
  }

  /// Bytes that are read at most to look at packs that are listed as changed. If a server rewrote all it has, it takes several
  /// looks to see that nothing is wrong.
  private static let readingLimit: UInt64 = 1 << 30
  private static let pieceSize: UInt64 = 8 << 20

  /// Reads packs that may be altered, and returns those that are.
  private func altered(
    _ changed: [ObjectID: BackendKey], _ sizes: [ObjectID: UInt64], in backend: any Backend
  ) async throws(StoreError) -> [ObjectID] {
    var (found, sound): ([ObjectID], [BackendKey]) = ([], [])
    var left = Self.readingLimit
    for (id, key) in changed.sorted(by: { $0.key < $1.key }) {
      guard let size = sizes[id], size <= left else { continue }
      left -= size
      var digest = Digest()
      do {
        for start in stride(from: 0, to: size, by: UInt64.Stride(Self.pieceSize)) {
          // One that is gone by now is missing in the next look.
          guard let bytes = try await backend.get(key, range: start..<min(size, start + Self.pieceSize)) else { break }
          digest.update(bytes.span)
        }
      } catch {
        throw StoreError(error)
      }
      if digest.finish() == id { sound.append(key) } else { found.append(id) }
    }
    if !sound.isEmpty { await backend.trust(sound) }
    return found
  }
}
