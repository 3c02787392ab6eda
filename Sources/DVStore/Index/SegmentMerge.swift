import DVBackend
import DVObject

/// Merges index segments into fewer, in bounded memory.
struct SegmentMerge {
  let store: ObjectStore
  /// Packs whose entries are left out.
  var dropped: Set<ObjectID> = []
  /// Packs whose objects were all copied into another: their entries are left out, ``copies`` says where they lie now.
  ///
  /// The packs are deleted with the segments. Therefore `copies` MUST name every object they hold: some may be named
  /// by a segment that is not merged now.
  var rewritten: Set<ObjectID> = []
  /// An index of what was copied, which needs not be in the store.
  var copies: LoadedSegment?

  /// Entries of one segment at most: 56 MiB of memory while it is made. A segment this full is not merged again.
  static let entryLimit = 1 << 20

  /// Entries of one segment at most, here.
  var entryLimit = Self.entryLimit

  init(store: ObjectStore) { self.store = store }

  /// Writes successors of `segments` at `level`, removes what they supersede, and keeps the store's index up to date.
  ///
  /// Readers that hold the old list find the successors when a file they want is gone. If it stops half-way, segments
  /// are there that hold again what others hold.
  ///
  /// - Returns: whether all that is superseded is gone; without permission to delete it stays.
  @discardableResult
  func run(_ segments: [LoadedSegment], level: Int) async throws(StoreError) -> Bool {
    var output = Output()
    var kept: Set<ObjectID> = []
    var sources = EntryMerge(backend: store.backend)
    for segment in segments { try await sources.add(segment) }
    if let copies { try await sources.add(copies) }
    while let (entry, container) = sources.current {
      // A full segment ends where the key changes, so that a key's entries stay together.
      if output.entryCount >= entryLimit, entry.key != output.lastKey {
        kept.insert(try await write(&output, superseded: [], level: level))
      }
      if !dropped.contains(container.id), !rewritten.contains(container.id) { output.append(entry, in: container) }
      try await sources.advance()
    }
    // The last one names what all of them supersede: it is written when the others are durable.
    if output.entryCount > 0 || !kept.isEmpty {
      kept.insert(try await write(&output, superseded: superseded(by: segments), level: level))
    }
    // Without a successor nothing says that a segment which stays is superseded, and it would name packs that go next.
    return try await retire(segments.filter { !kept.contains($0.id) }, mayStay: !kept.isEmpty)
  }

  private func superseded(by segments: [LoadedSegment]) -> [IndexSupersession] {
    var files = Set(segments.map { IndexSupersession(kind: .segment, id: $0.id) })
    for pack in rewritten.union(dropped) { files.insert(IndexSupersession(kind: .pack, id: pack)) }
    // What the merged segments superseded and nobody could delete stays superseded.
    let remaining = store.index.superseded
    for file in segments.flatMap(\.head.superseded) where file.kind == .segment && remaining.contains(file.id) {
      files.insert(file)
    }
    return Array(files)
  }

  private func write(
    _ output: inout Output, superseded: [IndexSupersession], level: Int
  ) async throws(StoreError) -> ObjectID {
    let segment = output.take(superseding: superseded)
    try await store.install(segment.bytes, id: segment.id, level: level)
    return segment.id
  }

  private func retire(_ segments: [LoadedSegment], mayStay: Bool) async throws(StoreError) -> Bool {
    let ids = Set(segments.map(\.id))
    do {
      try await store.backend.delete(segments.map(\.key))
      store.index.remove(ids)
      try await store.backend.delete(rewritten.map(StoreLayout.pack))
      return true
    } catch {
      store.index.remove(ids)
      store.index.setAside(ids)
      // Without permission to delete, what was superseded stays until gc.
      guard error.code == .denied, mayStay else { throw StoreError(error) }
      return false
    }
  }

  /// The segment being made.
  private struct Output {
    private var entries: [IndexEntry] = []
    private var containers: [IndexContainer] = []
    private var numbers: [IndexContainer: Int] = [:]

    var entryCount: Int { entries.count }
    var lastKey: ObjectKey? { entries.last?.key }

    mutating func append(_ entry: IndexEntry, in container: IndexContainer) {
      if let number = numbers[container] {
        entries.append(entry.inContainer(number))
      } else {
        numbers[container] = containers.count
        entries.append(entry.inContainer(containers.count))
        containers.append(container)
      }
    }

    /// Returns the segment, and begins anew with nothing.
    mutating func take(superseding files: [IndexSupersession]) -> (id: ObjectID, bytes: [UInt8]) {
      defer { self = Output() }
      return SegmentWriter.segment(of: entries, containers: containers, superseding: files)
    }
  }
}
