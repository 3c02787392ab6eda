import DVObject

/// How objects that a destination lacks get there: packs that go whole, and runs of objects out of others.
struct CopyPlan: Sendable {
  /// An object and the place it is to be taken from.
  struct Piece: Sendable {
    let key: ObjectKey
    let location: ObjectLocation
  }

  /// Objects in one container, in the order in which they lie there.
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
      var start = 0
      var size = 0
      for (index, piece) in pieces.enumerated() {
        if size + piece.location.storedLength > CopyPlan.taskByteLimit, index > start {
          parts.append(Group(container: container, pieces: Array(pieces[start..<index])))
          start = index
          size = 0
        }
        size += piece.location.storedLength
      }
      if start < pieces.count { parts.append(Group(container: container, pieces: Array(pieces[start...]))) }
      return parts
    }
  }

  /// By container.
  let groups: [Group]

  /// Pieces of a group that one task copies at most, in stored bytes.
  static let taskByteLimit = 16 << 20

  /// Sorts pieces by where they lie.
  init(_ pieces: [Piece]) {
    // Containers are numbered first, so that sorting compares numbers and not names.
    var containers: [IndexContainer] = []
    var numbers: [IndexContainer: Int] = [:]
    var places: [(container: Int, offset: UInt64, piece: Int)] = []
    places.reserveCapacity(pieces.count)
    var last = 0
    for (index, piece) in pieces.enumerated() {
      let container = piece.location.container
      if containers.isEmpty || containers[last] != container {
        last = numbers[container] ?? containers.count
        if last == containers.count {
          containers.append(container)
          numbers[container] = last
        }
      }
      places.append((last, piece.location.offset, index))
    }
    places.sort { $0.container == $1.container ? $0.offset < $1.offset : $0.container < $1.container }
    var groups: [Group] = []
    var start = 0
    while start < places.count {
      let container = places[start].container
      var end = start
      while end < places.count, places[end].container == container { end += 1 }
      groups.append(Group(container: containers[container], pieces: places[start..<end].map { pieces[$0.piece] }))
      start = end
    }
    self.groups = groups
  }
}
