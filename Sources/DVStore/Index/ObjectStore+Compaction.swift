import DVBackend
import DVFile
import DVObject

extension ObjectStore {
  /// Level-0 segments that may gather before they are merged.
  static let freshSegmentLimit = 64
  /// Segments of each higher level that may gather.
  static let levelLimit = 16
  /// Packs smaller than this are rewritten into larger ones when their segments are merged, in bytes.
  static let smallPackLimit: UInt64 = 4 << 20

  /// Merges index segments, and with them small packs, where too many have gathered.
  ///
  /// Rewrites at most 64 MiB of packs. So however many small sessions there were, the number of files stays bounded
  /// (some 64 + 16 per level) and nobody has to clean up.
  func compactIndex() async throws(StoreError) {
    for level in 0..<8 {
      let segments = index.all.filter { $0.level == level && $0.head.entryCount < SegmentMerge.entryLimit }
      guard segments.count > (level == 0 ? Self.freshSegmentLimit : Self.levelLimit) else { continue }
      var merge = SegmentMerge(store: self)
      merge.moved = try await rewriteSmallPacks(of: segments)
      do throws(StoreError) {
        // Somebody else may have merged the same segments first, and taken away packs that ours would still name.
        guard try await areCurrent(segments) else { throw StoreError(.missing, "The index was merged by another process.") }
        try await merge.run(segments, level: level + 1)
      } catch {
        guard error.code == .missing else { throw error }
        try await refresh()
        // Nobody knows the new pack.
        if let pack = merge.moved.values.first?.container { try await remove(StoreLayout.container(pack)) }
        return
      }
    }
  }

  private func areCurrent(_ segments: [LoadedSegment]) async throws(StoreError) -> Bool {
    try await refresh()
    let listed = Set(index.all.map(\.id))
    return segments.allSatisfy { listed.contains($0.id) }
  }

  private func remove(_ key: BackendKey) async throws(StoreError) {
    do { try await backend.delete(key) } catch { if error.code != .denied { throw StoreError(error) } }
  }

  /// Takes packs out of the index.
  func dropFromIndex(_ packs: Set<ObjectID>) async throws(StoreError) {
    for segment in index.all where segment.head.containers.contains(where: { packs.contains($0.id) }) {
      var merge = SegmentMerge(store: self)
      merge.dropped = packs
      try await merge.run([segment], level: segment.level)
    }
  }

  /// Takes packs that are damaged or gone out of the index, each if all that it held lies in other packs too.
  ///
  /// The files stay: what is damaged is not deleted but by gc.
  ///
  /// - Returns: how many there were.
  func forgetPacks(_ packs: Set<ObjectID>) async throws(StoreError) -> Int {
    try await refresh()
    var held: [ObjectID: [ObjectKey]] = [:]
    for segment in index.all where segment.head.containers.contains(where: { packs.contains($0.id) }) {
      let containers = segment.head.containers
      try await segment.forEachEntry(from: backend) { entry in
        let id = containers[entry.container].id
        if packs.contains(id) { held[id, default: []].append(entry.key) }
      }
    }
    var healed: Set<ObjectID> = []
    for (pack, keys) in held {
      let sorted = Set(keys).sorted()
      let others = try await index.locations(ofAll: sorted)
      var covered = 0
      others.forEachObject { _, places in
        if places.contains(where: { !packs.contains($0.location.container.id) }) { covered += 1 }
      }
      if covered == sorted.count { healed.insert(pack) }
    }
    if !healed.isEmpty { try await dropFromIndex(healed) }
    return healed.count
  }

  /// Copies the objects of small packs into one new pack.
  ///
  /// - Returns: where they lie now, for each pack that was copied whole.
  private func rewriteSmallPacks(of segments: [LoadedSegment]) async throws(StoreError) -> [ObjectID: SegmentMerge.MovedPack] {
    var small: [IndexContainer] = []
    var total: UInt64 = 0
    for container in segments.flatMap(\.head.containers)
    where container.kind == .pack && container.size < Self.smallPackLimit && total + container.size <= UInt64(OpenPack.target) {
      small.append(container)
      total += container.size
    }
    guard small.count > 1 else { return [:] }
    var pack = try OpenPack(in: scratch)
    var offsets: [IndexContainer: [UInt64: UInt64]] = [:]
    for container in small {
      guard let moved = try await copyEntries(of: container, into: &pack) else { continue }
      offsets[container] = moved
    }
    let open = pack
    guard !open.entries.isEmpty else {
      open.discard()
      return [:]
    }
    let sealed = try await BlockingThreads.run { () throws(StoreError) in try open.seal() }
    try await install(sealed)
    return Dictionary(
      offsets.map { ($0.key.id, SegmentMerge.MovedPack(container: sealed.container, offsets: $0.value)) },
      uniquingKeysWith: { first, _ in first })
  }

  /// Appends all objects of a pack, each proved.
  ///
  /// - Returns: new offsets by old ones; `nil` if anything about the pack is not as it should be: it is left as it is.
  private func copyEntries(
    of container: IndexContainer, into pack: inout OpenPack
  ) async throws(StoreError) -> [UInt64: UInt64]? {
    guard let (table, bytes) = await packContent(of: container) else { return nil }
    return try appendEntries(table, bytes, of: container, to: &pack)
  }

  /// Reads a small pack whole; `nil` if it is gone or damaged.
  private func packContent(of container: IndexContainer) async -> (PackTable, [UInt8])? {
    guard let table = try? await table(of: container),
      let bytes = try? await backend.get(StoreLayout.container(container)), UInt64(bytes.count) == container.size
    else { return nil }
    return (table, bytes)
  }

  private func appendEntries(
    _ table: PackTable, _ bytes: [UInt8], of container: IndexContainer, to pack: inout OpenPack
  ) throws(StoreError) -> [UInt64: UInt64]? {
    var object: [UInt8] = []
    for entry in table.entries {
      let piece = CopyPlan.Piece(key: entry.key, location: ObjectLocation(entry, in: container))
      let range = entry.offset..<(entry.offset + entry.storedLength)
      guard proves(bytes.span.extracting(range), piece, using: &object) else { return nil }
    }
    var offsets: [UInt64: UInt64] = [:]
    for entry in table.entries {
      let range = entry.offset..<(entry.offset + entry.storedLength)
      offsets[UInt64(entry.offset)] = UInt64(pack.length + PackEntryHeader.byteCount)
      try pack.append(entry.key, codec: entry.codec, stored: bytes.span.extracting(range), length: entry.length)
    }
    return offsets
  }
}

extension ObjectLocation {
  /// The place a pack's table gives.
  init(_ entry: PackTableEntry, in container: IndexContainer) {
    self.init(
      IndexEntry(
        key: entry.key, codec: entry.codec, container: 0, offset: UInt64(entry.offset),
        storedLength: entry.storedLength, length: entry.length),
      in: container)
  }
}
