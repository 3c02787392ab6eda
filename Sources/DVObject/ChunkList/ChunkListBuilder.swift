/// Builds the chunk list of one file while its chunks come in.
///
/// Finished inner nodes are passed on at once, so that the list of a file of any size takes at most 8192 entries per level
/// of memory (under 2 MiB).
public struct ChunkListBuilder: Sendable {
  /// The node of one level that is still open.
  private struct OpenNode: Sendable {
    var entries: [UInt8] = []
    var count = 0
    var bytes: UInt64 = 0
  }

  private var levels: [OpenNode] = [OpenNode()]

  /// How many chunks the list has so far.
  public private(set) var chunkCount = 0
  /// How many bytes the chunks have so far.
  public private(set) var bytes: UInt64 = 0

  public init() {}

  /// Adds the file's next chunk.
  ///
  /// - Parameter emit: Takes each finished inner node: its ID, which is the SHA-256 of its bytes, and its bytes.
  /// - Throws: What `emit` throws; the builder MUST NOT be used after that.
  public mutating func append<Failure: Error>(
    _ chunk: ChunkReference, emit: (ObjectID, [UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    // A full node is closed when one more entry comes, for only then is it known not to be the root.
    try makeRoom(atLevel: 0, emit)
    ChunkListNode.append(chunk, to: &levels[0].entries)
    levels[0].count += 1
    levels[0].bytes += UInt64(chunk.length)
    chunkCount += 1
    bytes += UInt64(chunk.length)
  }

  /// Ends the list and returns the bytes of its root, to be stored under the file's ID, or `nil` if the file has fewer than
  /// two chunks and therefore no list.
  ///
  /// - Parameter emit: Takes each inner node not passed on before.
  /// - Throws: What `emit` throws.
  public consuming func finish<Failure: Error>(
    emit: (ObjectID, [UInt8]) throws(Failure) -> Void
  ) throws(Failure) -> [UInt8]? {
    guard chunkCount > 1 else { return nil }
    var level = 0
    while level < levels.count - 1 {
      try close(level, emit)
      level += 1
    }
    let root = levels[level]
    return ChunkListNode.encode(level: level, count: root.count, bytes: root.bytes, entries: root.entries)
  }

  private mutating func makeRoom<Failure: Error>(
    atLevel level: Int, _ emit: (ObjectID, [UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    guard levels[level].count == ChunkListNode.maximumCount else { return }
    try close(level, emit)
  }

  /// Passes on the open node of `level` and names it in the level above.
  private mutating func close<Failure: Error>(
    _ level: Int, _ emit: (ObjectID, [UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    let node = levels[level]
    let encoded = ChunkListNode.encode(level: level, count: node.count, bytes: node.bytes, entries: node.entries)
    let id = ObjectID(hashing: encoded.span)
    try emit(id, encoded)
    levels[level] = OpenNode()
    if level + 1 == levels.count { levels.append(OpenNode()) }
    try makeRoom(atLevel: level + 1, emit)
    ChunkListNode.append(ChunkListChild(id: id, bytes: node.bytes), to: &levels[level + 1].entries)
    levels[level + 1].count += 1
    levels[level + 1].bytes += node.bytes
  }
}
