import DVBackend
import DVObject

/// Makes index segments of the tables of packs.
struct IndexRebuild {
  let store: ObjectStore

  /// Writes segments that name everything in `packs`, of at most a million entries each.
  ///
  /// - Parameters:
  ///   - packs: packs whose tables are whole; one that is gone meanwhile is left out.
  ///   - superseded: segments that the new ones stand in for. The last of them, written when the others are durable, says so.
  func run(_ packs: [IndexContainer], superseding superseded: [IndexSupersession]) async throws {
    var entries: [IndexEntry] = []
    var containers: [IndexContainer] = []
    for pack in packs {
      try Task.checkCancellation()
      guard let table = try await store.table(of: pack) else { continue }
      if entries.count + table.entries.count > SegmentMerge.entryLimit, !entries.isEmpty {
        try await write(&entries, &containers, superseding: [])
      }
      for entry in table.entries { entries.append(IndexEntry(entry, inContainer: containers.count)) }
      containers.append(pack)
    }
    try await write(&entries, &containers, superseding: superseded)
  }

  private func write(
    _ entries: inout [IndexEntry], _ containers: inout [IndexContainer], superseding superseded: [IndexSupersession]
  ) async throws {
    if entries.isEmpty, superseded.isEmpty { return }
    let segment = SegmentWriter.segment(of: entries, containers: containers, superseding: superseded)
    try await store.install(segment.bytes, id: segment.id, level: 0)
    (entries, containers) = ([], [])
  }
}
