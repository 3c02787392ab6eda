extension ChunkListNode {
  /// Returns the node's bytes.
  public func encoded() -> [UInt8] {
    var body: [UInt8] = []
    body.reserveCapacity(count * Self.entryLength(atLevel: level))
    switch entries {
    case .chunks(let chunks): for chunk in chunks { Self.append(chunk, to: &body) }
    case .nodes(let nodes): for node in nodes { Self.append(node, to: &body) }
    }
    return Self.encode(level: level, count: count, bytes: bytes, entries: body)
  }

  static func append(_ chunk: ChunkReference, to bytes: inout [UInt8]) {
    chunk.id.append(to: &bytes)
    bytes.append(bigEndian: UInt32(chunk.length))
  }

  static func append(_ node: ChunkListChild, to bytes: inout [UInt8]) {
    node.id.append(to: &bytes)
    bytes.append(bigEndian: node.bytes)
  }

  /// Puts the header before encoded entries and the hash after them.
  static func encode(level: Int, count: Int, bytes total: UInt64, entries: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headerLength + entries.count + ObjectID.byteCount)
    bytes += magic
    bytes.append(1)
    bytes.append(UInt8(level))
    bytes.append(bigEndian: UInt16(0))
    bytes.append(bigEndian: UInt32(count))
    bytes.append(bigEndian: total)
    bytes += entries
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }
}
