import DVBackend
import DVFile
import DVObject

extension ObjectStore {
  /// Level-0 segments that may gather before they are merged. Fewer in tests of merges.
  @TaskLocal static var freshSegmentLimit = 32
  /// Segments of each higher level that may gather.
  static let levelLimit = 16
  /// Packs smaller than this are rewritten into larger ones when their segments are merged, in bytes.
  static let smallPackLimit: UInt64 = 4 << 20

  /// Merges index segments, and with them small packs, where too many have gathered.
  ///
  /// Rewrites at most 64 MiB of packs. So however many small sessions there were, the number of files stays bounded
  /// (some 32 + 16 per level) and nobody has to clean up.
  ///
  /// A failure, such as a full disk, leaves more files than need be and is not told: what was asked for is done, and a
  /// later session tries again.
  func compactIndex() async {
    guard compaction.begin() else { return }
    defer { compaction.end() }
    try? await mergeLevels()
  }

  private func mergeLevels() async throws(StoreError) {
    for level in 0..<8 {
      let segments = index.all.filter { $0.level == level && $0.head.entryCount < SegmentMerge.entryLimit }
      guard segments.count > (level == 0 ? Self.freshSegmentLimit : Self.levelLimit) else { continue }
      var merge = SegmentMerge(store: self)
      let rewriting = try await rewriteSmallPacks(of: segments)
      merge.rewritten = rewriting?.packs ?? []
      let sources = segments + (rewriting.map { [$0.copies] } ?? [])
      // Somebody else may have merged the same segments first, and taken away packs that ours would still name. Then the
      // copies cost some space until gc.
      guard try await areCurrent(sources) else { return }
      do {
        let isDone = try await merge.run(sources, level: level + 1)
        // Packs that nobody may delete stay condemned.
        if isDone, let rewriting { try await RootCommit.delete([rewriting.record], of: self) }
      } catch {
        guard error.code == .missing else { throw error }
        try await refresh()
        return
      }
    }
  }

  private func areCurrent(_ segments: [LoadedSegment]) async throws(StoreError) -> Bool {
    try await refresh()
    let listed = Set(index.all.map(\.id))
    return segments.allSatisfy { listed.contains($0.id) }
  }

  /// What became of small packs.
  private struct Rewriting {
    /// The packs, which are condemned.
    let packs: Set<ObjectID>
    /// The index of the pack that holds all they do.
    let copies: LoadedSegment
    /// The record that condemns them.
    let record: BackendKey
  }

  /// Copies the objects of small packs into one new pack, indexes that, and condemns them.
  ///
  /// A collection at work at the same time proves an object's copy in a pack before it deletes another. So the small packs
  /// are condemned before they go, and they go only if the new pack is not condemned after that: whoever deletes the new
  /// one relies on none of them.
  ///
  /// - Returns: the packs that may be deleted once no index names them; `nil` if there are none.
  private func rewriteSmallPacks(of segments: [LoadedSegment]) async throws(StoreError) -> Rewriting? {
    var small: Set<IndexContainer> = []
    var total: UInt64 = 0
    for container in segments.flatMap(\.head.containers)
    where container.kind == .pack && container.size < Self.smallPackLimit && !index.isCondemned(container.id)
      && total + container.size <= UInt64(OpenPack.target)
    {
      if small.insert(container).inserted { total += container.size }
    }
    guard small.count > 1 else { return nil }
    var pack = try OpenPack(in: scratch)
    var copied: Set<ObjectID> = []
    for container in small.sorted(by: { $0.id < $1.id }) {
      // One that is gone was rewritten by another process; a damaged one is left as it is.
      guard let (table, bytes) = await packContent(of: container), proves(table, bytes, in: container) else { continue }
      for entry in table.entries {
        let range = entry.offset..<(entry.offset + entry.storedLength)
        try pack.append(entry.key, codec: entry.codec, stored: bytes.span.extracting(range), length: entry.length)
      }
      copied.insert(container.id)
    }
    guard copied.count > 1 else { return nil }
    let full = pack
    let sealed = try await BlockingThreads.run { () throws(StoreError) in try full.seal() }
    try await install(sealed)
    let segment = SegmentWriter.segment(of: [sealed])
    try await install(segment.bytes, id: segment.id, level: 0)
    guard try await isKept(sealed.container), let copies = index.all.first(where: { $0.id == segment.id }) else { return nil }
    do {
      guard let record = try await condemn(copied, time: try await backend.clock()).first, try await isKept(sealed.container) else { return nil }
      return Rewriting(packs: copied, copies: copies, record: record)
    } catch {
      throw error as? StoreError ?? (error as? BackendError).map { StoreError($0) } ?? StoreError(.other, "\(error)", cause: error)
    }
  }

  /// Whether a pack is there, whole, and no collection means to delete it.
  private func isKept(_ pack: IndexContainer) async throws(StoreError) -> Bool {
    if try await CondemnedList(of: self).packs.contains(pack.id) { return false }
    do { return try await backend.size(of: StoreLayout.container(pack)) == pack.size } catch { throw StoreError(error) }
  }

  /// Reads a small pack whole; `nil` if it is gone or damaged.
  private func packContent(of container: IndexContainer) async -> (PackTable, [UInt8])? {
    guard let table = try? await table(of: container),
      let bytes = try? await backend.get(StoreLayout.container(container)), UInt64(bytes.count) == container.size
    else { return nil }
    return (table, bytes)
  }

  /// Whether every object of a pack has the bytes its name says.
  private func proves(_ table: PackTable, _ bytes: [UInt8], in container: IndexContainer) -> Bool {
    var object: [UInt8] = []
    return table.entries.allSatisfy { entry in
      let piece = CopyPlan.Piece(key: entry.key, location: ObjectLocation(entry, in: container))
      return proves(bytes.span.extracting(entry.offset..<(entry.offset + entry.storedLength)), piece, using: &object)
    }
  }
}

extension ObjectLocation {
  /// The place a pack's table gives.
  init(_ entry: PackTableEntry, in container: IndexContainer) {
    self.init(IndexEntry(entry, inContainer: 0), in: container)
  }
}
