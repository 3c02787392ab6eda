extension ChunkListNode {
  /// Decodes a node, accepting its one canonical encoding only.
  ///
  /// - Parameters:
  ///   - bytes: The whole encoding.
  ///   - place: Where the node stands, where that is known: it is then held to what the pointer or the node above says.
  /// - Throws: ``ObjectFormatError`` if anything is not as the format says; `.unsupported` if the version or a required
  ///   feature is unknown; `.damaged` if the hash at the end does not match.
  /// - Complexity: O(*n*); takes one array of entries, never more than the bytes given justify.
  public init(decoding bytes: Span<UInt8>, at place: Place? = nil) throws(ObjectFormatError) {
    guard bytes.count >= Self.headerLength + ObjectID.byteCount else {
      throw .malformed("A chunk list of \(bytes.count) bytes is cut short: its header alone has \(Self.headerLength).")
    }
    guard bytes.count <= Self.maximumByteCount else {
      throw ObjectFormatError(.tooLarge, "A chunk list of \(bytes.count) bytes: at most \(Self.maximumByteCount) are allowed.")
    }
    for (index, byte) in Self.magic.enumerated() where bytes[index] != byte {
      throw .malformed("A chunk list begins with 'dvchunks'; these bytes do not.")
    }
    guard bytes[8] == 1 else {
      throw ObjectFormatError(.unsupported, "A chunk list of version \(bytes[8]): this dv reads version 1. Use a newer dv.")
    }
    let features = bytes.bigEndian(UInt16.self, at: 10)
    guard features == 0 else {
      throw ObjectFormatError(
        .unsupported, "A chunk list needs features (bits \(features)) that this dv does not know. Use a newer dv.")
    }
    let level = Int(bytes[9])
    guard level <= Self.maximumLevel else {
      throw ObjectFormatError(.tooLarge, "A chunk list node of level \(level): the highest is \(Self.maximumLevel).")
    }
    let count = Int(bytes.bigEndian(UInt32.self, at: 12))
    guard (1...Self.maximumCount).contains(count) else {
      throw ObjectFormatError(.tooLarge, "A chunk list node with \(count) entries: 1 to \(Self.maximumCount) are allowed.")
    }
    let end = Self.headerLength + count * Self.entryLength(atLevel: level)
    guard bytes.count == end + ObjectID.byteCount else {
      throw .wrongLength(of: "A chunk list node with \(count) entries", expected: end + ObjectID.byteCount, actual: bytes.count)
    }
    guard ObjectID(hashing: bytes.extracting(0..<end)) == ObjectID(bytes, at: end) else {
      throw ObjectFormatError(.damaged, "A chunk list node is damaged: its bytes do not match its own hash.")
    }
    let total = bytes.bigEndian(UInt64.self, at: 16)
    let entries =
      try level == 0
      ? Entries.chunks(Self.chunks(in: bytes, count: count, total: total))
      : Entries.nodes(Self.nodes(in: bytes, count: count, level: level, total: total))
    self.init(level: level, bytes: total, entries: entries)
    if let place { try check(place) }
  }

  static func entryLength(atLevel level: Int) -> Int { level == 0 ? 36 : 40 }

  private static func chunks(
    in bytes: Span<UInt8>, count: Int, total: UInt64
  ) throws(ObjectFormatError) -> [ChunkReference] {
    var chunks: [ChunkReference] = []
    chunks.reserveCapacity(count)
    var sum: UInt64 = 0
    for index in 0..<count {
      let offset = headerLength + index * 36
      let length = Int(bytes.bigEndian(UInt32.self, at: offset + 32))
      guard (1...ChunkReference.maximumLength).contains(length) else {
        throw .malformed("Chunk \(index) of a chunk list has \(length) bytes: 1 to \(ChunkReference.maximumLength) are allowed.")
      }
      // Cannot overflow: at most 8192 times 4 MiB.
      sum += UInt64(length)
      chunks.append(ChunkReference(id: ObjectID(bytes, at: offset), length: length))
    }
    guard sum == total else {
      throw .malformed("The chunks of a chunk list have \(sum) bytes, its header says \(total).")
    }
    return chunks
  }

  private static func nodes(
    in bytes: Span<UInt8>, count: Int, level: Int, total: UInt64
  ) throws(ObjectFormatError) -> [ChunkListChild] {
    var nodes: [ChunkListChild] = []
    nodes.reserveCapacity(count)
    // A node below is full unless it is the last of its level: then it holds maximumCount^level chunks.
    let full = (0..<level).reduce(UInt64(1)) { chunks, _ in chunks * UInt64(maximumCount) }
    let (most, unbounded) = full.multipliedReportingOverflow(by: UInt64(ChunkReference.maximumLength))
    var sum: UInt64 = 0
    for index in 0..<count {
      let offset = headerLength + index * 40
      let size = bytes.bigEndian(UInt64.self, at: offset + 32)
      let least = index < count - 1 ? full : 1
      guard size >= least, unbounded || size <= most else {
        throw .malformed("Node \(index) of a chunk list covers \(size) bytes, which no node of level \(level - 1) there can.")
      }
      let (next, overflow) = sum.addingReportingOverflow(size)
      guard !overflow else {
        throw ObjectFormatError(.overflow, "The nodes of a chunk list cover more than 2^64 bytes.")
      }
      sum = next
      nodes.append(ChunkListChild(id: ObjectID(bytes, at: offset), bytes: size))
    }
    guard sum == total else {
      throw .malformed("The nodes of a chunk list cover \(sum) bytes, its header says \(total).")
    }
    return nodes
  }

  /// Holds this node to what its place demands.
  private func check(_ place: Place) throws(ObjectFormatError) {
    switch place {
    case .root(let expected):
      guard bytes == expected else {
        throw .malformed("A chunk list covers \(bytes) bytes, its file has \(expected).")
      }
      guard count > 1 else {
        throw .malformed("A chunk list with a single entry: a file of one chunk has none, and a root names two nodes or more.")
      }
    case .inner(let expectedLevel, let expected, let isLast):
      guard level == expectedLevel else {
        throw .malformed("A chunk list node has level \(level) where level \(expectedLevel) belongs.")
      }
      guard bytes == expected else {
        throw .malformed("A chunk list node covers \(bytes) bytes, the node above it says \(expected).")
      }
      guard isLast || count == Self.maximumCount else {
        throw .malformed(
          "A chunk list node has \(count) entries: only the last of a level may have fewer than \(Self.maximumCount).")
      }
    }
  }
}
