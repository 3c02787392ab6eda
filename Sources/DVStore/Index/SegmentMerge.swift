import DVBackend
import DVObject

/// Merges index segments into fewer, in bounded memory.
struct SegmentMerge {
  let store: ObjectStore
  /// Packs whose entries are left out.
  var dropped: Set<ObjectID> = []
  /// Objects that lie in another pack now: where they were, and where they are.
  var moved: [ObjectID: MovedPack] = [:]

  /// Where the objects of a rewritten pack lie now, by their old offsets.
  struct MovedPack: Sendable {
    let container: IndexContainer
    let offsets: [UInt64: UInt64]
  }

  /// Entries of one segment at most: 56 MiB of memory while it is made. A segment this full is not merged again.
  static let entryLimit = 1 << 20

  /// Writes successors of `segments` at `level`, removes what they supersede, and keeps the store's index up to date.
  ///
  /// Readers that hold the old list find the successors when a file they want is gone.
  func run(_ segments: [LoadedSegment], level: Int) async throws(StoreError) {
    var containers: [IndexContainer] = []
    var numbers: [IndexContainer: Int] = [:]
    func number(of container: IndexContainer) -> Int {
      if let number = numbers[container] { return number }
      numbers[container] = containers.count
      containers.append(container)
      return containers.count - 1
    }
    var superseded = segments.map { IndexSupersession(kind: .segment, id: $0.id) }
    superseded += moved.keys.map { IndexSupersession(kind: .pack, id: $0) }
    superseded += dropped.map { IndexSupersession(kind: .pack, id: $0) }

    var entries = try await EntryMerge(segments, from: store.backend)
    var open: [IndexEntry] = []
    var outputs: [(id: ObjectID, bytes: [UInt8])] = []
    while let (entry, container) = try await entries.next() {
      if dropped.contains(container.id) {
        // Left out.
      } else if let moved = moved[container.id] {
        if let offset = moved.offsets[entry.offset] {
          open.append(
            IndexEntry(
              key: entry.key, codec: entry.codec, container: number(of: moved.container), offset: offset,
              storedLength: entry.storedLength, length: entry.length))
        }
      } else {
        open.append(entry.inContainer(number(of: container)))
      }
      if open.count >= Self.entryLimit, entries.nextKey != open.last?.key {
        outputs.append(close(&open, containers, superseded: []))
      }
    }
    // The last one names what all of them supersede: it is written when the others are durable.
    if !open.isEmpty || !outputs.isEmpty { outputs.append(close(&open, containers, superseded: superseded)) }
    for output in outputs { try await store.install(output.bytes, id: output.id, level: level) }
    let kept = Set(outputs.map(\.id))
    try await retire(segments.filter { !kept.contains($0.id) })
  }

  private func close(
    _ open: inout [IndexEntry], _ containers: [IndexContainer], superseded: [IndexSupersession]
  ) -> (id: ObjectID, bytes: [UInt8]) {
    defer { open.removeAll(keepingCapacity: true) }
    // Numbers are those of all outputs together; each takes what it uses, in order.
    var used: [Int: Int] = [:]
    var table: [IndexContainer] = []
    let entries = open.map { entry in
      if let number = used[entry.container] { return entry.inContainer(number) }
      used[entry.container] = table.count
      table.append(containers[entry.container])
      return entry.inContainer(table.count - 1)
    }
    return SegmentWriter.segment(of: entries, containers: table, superseding: superseded)
  }

  private func retire(_ segments: [LoadedSegment]) async throws(StoreError) {
    store.index.remove(Set(segments.map(\.id)))
    do {
      for segment in segments { try await store.backend.delete(segment.key) }
      for pack in moved.keys { try await store.backend.delete(StoreLayout.pack(pack)) }
    } catch {
      // Without permission to delete, what was superseded stays until gc.
      guard error.code == .denied else { throw StoreError(error) }
    }
  }
}
