import DVObject

/// How the chunks that a destination lacks get there: packs that go whole, and runs of chunks out of others.
struct CopyPlan: Sendable {
  struct Piece: Sendable {
    let key: ObjectKey
    let location: ObjectLocation
  }

  /// Chunks in one container, in the order in which they lie there.
  struct Group: Sendable {
    let container: IndexContainer
    let pieces: [Piece]

    /// Whether the container is a pack that holds nothing else: it can be copied as it is.
    ///
    /// Entries fill a pack without a hole, so the sizes tell.
    var isWhole: Bool {
      guard container.kind == .pack else { return false }
      let entries = pieces.reduce(0) { $0 + $1.location.storedLength + PackEntryHeader.byteCount + PackTable.rowByteCount }
      return UInt64(PackHeader.byteCount + entries + PackTable.trailerByteCount) == container.size
    }

    /// Cuts the group into parts that one task copies.
    var parts: [Group] {
      var parts: [Group] = []
      var open: [Piece] = []
      var size = 0
      for piece in pieces {
        if size + piece.location.storedLength > CopyPlan.taskByteLimit, !open.isEmpty {
          parts.append(Group(container: container, pieces: open))
          open = []
          size = 0
        }
        open.append(piece)
        size += piece.location.storedLength
      }
      if !open.isEmpty { parts.append(Group(container: container, pieces: open)) }
      return parts
    }
  }

  private(set) var groups: [Group] = []
  /// Chunks that no location is known of.
  private(set) var missing: [ObjectKey] = []

  /// Pieces of a group that one task copies at most, in stored bytes.
  static let taskByteLimit = 16 << 20

  /// Finds where `chunks` lie in `source`.
  init(copying chunks: [ClosureWalk.Chunk], from source: ObjectStore) async throws(StoreError) {
    var byContainer: [IndexContainer: [Piece]] = [:]
    for chunk in chunks {
      let key = ObjectKey(kind: .chunk, id: chunk.id)
      var found: ObjectLocation?
      for location in try await source.locations(of: key) where location.length == chunk.length {
        // The container that gives most already: packs that are wanted whole stay whole.
        let count = byContainer[location.container]?.count ?? 0
        if found == nil || count > byContainer[found?.container ?? location.container]?.count ?? 0 { found = location }
      }
      guard let found else {
        missing.append(key)
        continue
      }
      byContainer[found.container, default: []].append(Piece(key: key, location: found))
    }
    groups = byContainer.map { container, pieces in
      Group(container: container, pieces: pieces.sorted { $0.location.offset < $1.location.offset })
    }
    groups.sort { $0.container.id < $1.container.id }
  }
}
