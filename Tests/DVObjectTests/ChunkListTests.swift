import DVTesting
import Testing

@testable import DVObject

/// Test vectors: `docs/format/chunk-list.md`.
@Suite struct ChunkListTests {
  struct Stop: Error {}

  static func chunks(_ count: Int, seed: UInt64 = 1, length: ClosedRange<Int> = 1...ChunkReference.maximumLength) -> [ChunkReference] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      ChunkReference(
        id: try! ObjectID(bytes: [UInt8](randomCount: 32, using: &random).span), length: Int.random(in: length, using: &random))
    }
  }

  /// The root and the inner nodes of a list.
  static func build(_ chunks: [ChunkReference]) -> (root: [UInt8]?, nodes: [ObjectID: [UInt8]]) {
    var builder = ChunkListBuilder()
    var nodes: [ObjectID: [UInt8]] = [:]
    for chunk in chunks { builder.append(chunk) { nodes[$0] = $1 } }
    #expect(builder.chunkCount == chunks.count)
    #expect(builder.bytes == chunks.reduce(0) { $0 + UInt64($1.length) })
    let root = builder.finish { nodes[$0] = $1 }
    for (id, bytes) in nodes { #expect(ObjectID(hashing: bytes.span) == id) }
    return (root, nodes)
  }

  /// The chunks of a list, each node held to its place.
  static func walk(_ bytes: [UInt8], _ place: ChunkListNode.Place, _ nodes: [ObjectID: [UInt8]]) throws -> [ChunkReference] {
    let node = try ChunkListNode(decoding: bytes.span, at: place)
    #expect(node.encoded() == bytes)
    switch node.entries {
    case .chunks(let chunks): return chunks
    case .nodes(let children):
      return try children.indices.flatMap { index in
        try walk(#require(nodes[children[index].id]), node.place(ofNode: index, in: place), nodes)
      }
    }
  }

  @Test(arguments: [2, 3, 100, 8191, 8192, 8193, 16_384, 16_385, 20_000])
  func listsComeBack(count: Int) throws {
    let chunks = Self.chunks(count)
    let (root, nodes) = Self.build(chunks)
    let size = chunks.reduce(0) { $0 + UInt64($1.length) }
    #expect(try Self.walk(#require(root), .root(bytes: size), nodes) == chunks)
    #expect(nodes.count == (count <= 8192 ? 0 : (count + 8191) / 8192))
  }

  @Test func filesOfOneChunkHaveNone() {
    #expect(Self.build([]).root == nil)
    #expect(Self.build(Self.chunks(1)).root == nil)
  }

  /// The builder's inner levels split as the first does.
  @Test func nodesAboveTheFirstLevelSplit() throws {
    let child = ChunkListChild(id: ObjectID(hashing: [1].span), bytes: 8192 * 8192)
    let last = ChunkListChild(id: ObjectID(hashing: [2].span), bytes: 1)
    let node = ChunkListNode(level: 2, bytes: 8192 * 8192 + 1, entries: .nodes([child, last]))
    #expect(try ChunkListNode(decoding: node.encoded().span, at: .root(bytes: node.bytes)) == node)
    #expect(node.place(ofNode: 0, in: .root(bytes: node.bytes)) == .inner(level: 1, bytes: child.bytes, isLast: false))
    #expect(node.place(ofNode: 1, in: .root(bytes: node.bytes)) == .inner(level: 1, bytes: 1, isLast: true))
    #expect(
      node.place(ofNode: 1, in: .inner(level: 2, bytes: 0, isLast: false)) == .inner(level: 1, bytes: 1, isLast: false))
    // The other way round, a short node stands before another.
    let swapped = ChunkListNode(level: 2, bytes: node.bytes, entries: .nodes([last, child]))
    #expect(throws: ObjectFormatError.self) { try ChunkListNode(decoding: swapped.encoded().span) }
  }

  @Test func failureToEmitIsPassedOn() {
    var builder = ChunkListBuilder()
    #expect(throws: Stop.self) {
      for chunk in Self.chunks(8193) { try builder.append(chunk) { _, _ throws(Stop) in throw Stop() } }
    }
  }

  @Test func vector() throws {
    let list = ChunkListNode(
      level: 0, bytes: 70_000,
      entries: .chunks([
        ChunkReference(id: ObjectID(hashing: Array("a".utf8).span), length: 65_536),
        ChunkReference(id: ObjectID(hashing: Array("b".utf8).span), length: 4464),
      ]))
    #expect(
      list.encoded()
        == [UInt8](
          hexText: """
            6476 6368 756e 6b73 01 00 0000 0000 0002 0000 0000 0001 1170
            ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb 0001 0000
            3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d 0000 1170
            5738a3c00983b646fa219a25000fefb25d89a993db4e153d29d150daf5e4b79a
            """))
  }

  @Test func otherPlacesAreRefused() throws {
    let chunks = Self.chunks(8193, length: 1...9)
    let (_, nodes) = Self.build(chunks)
    let full = try #require(nodes.values.first { $0.count > 1000 })
    let short = try #require(nodes.values.first { $0.count < 1000 })
    let bytes = try ChunkListNode(decoding: full.span).bytes
    let shortBytes = try ChunkListNode(decoding: short.span).bytes
    func decode(_ node: [UInt8], _ place: ChunkListNode.Place) throws { _ = try ChunkListNode(decoding: node.span, at: place) }
    try decode(full, .root(bytes: bytes))
    try decode(full, .inner(level: 0, bytes: bytes, isLast: false))
    try decode(short, .inner(level: 0, bytes: shortBytes, isLast: true))
    #expect(throws: ObjectFormatError.self) { try decode(full, .root(bytes: bytes + 1)) }
    #expect(throws: ObjectFormatError.self) { try decode(full, .inner(level: 1, bytes: bytes, isLast: false)) }
    #expect(throws: ObjectFormatError.self) { try decode(full, .inner(level: 0, bytes: bytes - 1, isLast: false)) }
    #expect(throws: ObjectFormatError.self) { try decode(short, .inner(level: 0, bytes: shortBytes, isLast: false)) }
    #expect(throws: ObjectFormatError.self) { try decode(short, .root(bytes: shortBytes)) }
  }

  /// Whatever happens to the bytes, with their hash made right again, a decoder refuses them or they are canonical.
  @Test(arguments: 0..<40)
  func changedBytesAreRefusedOrCanonical(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let leaf = ChunkListNode(
      level: 0, bytes: 0, entries: .chunks(Self.chunks(Int.random(in: 1...5, using: &random), seed: seed, length: 1...70_000)))
    guard case .chunks(let chunks) = leaf.entries else { return }
    let sum = chunks.reduce(0) { $0 + UInt64($1.length) }
    let above = [ChunkListChild(id: chunks[0].id, bytes: 8192 * 9), ChunkListChild(id: chunks[0].id, bytes: 70)]
    let originals = [
      ChunkListNode(level: 0, bytes: sum, entries: leaf.entries).encoded(),
      ChunkListNode(level: 1, bytes: 8192 * 9 + 70, entries: .nodes(above)).encoded(),
    ]
    for original in originals {
      for index in 0..<original.count {
        var bytes = original
        bytes[index] ^= UInt8.random(in: 1...255, using: &random)
        #expect(throws: ObjectFormatError.self) { try ChunkListNode(decoding: bytes.span) }
        Self.seal(&bytes)
        Self.expectRefusedOrCanonical(bytes)
      }
      for count in 0..<original.count {
        var bytes = Array(original.prefix(count))
        Self.expectRefusedOrCanonical(bytes)
        if count >= 32 { Self.seal(&bytes) }
        #expect(throws: ObjectFormatError.self) { try ChunkListNode(decoding: bytes.span) }
      }
      var longer = original + [0]
      Self.seal(&longer)
      #expect(throws: ObjectFormatError.self) { try ChunkListNode(decoding: longer.span) }
    }
  }

  @Test func whatIsNewerIsUnsupported() throws {
    for (offset, value) in [(8, UInt8(2)), (10, 1), (11, 128)] {
      var bytes = try #require(Self.build(Self.chunks(2)).root)
      bytes[offset] = value
      Self.seal(&bytes)
      let error = #expect(throws: ObjectFormatError.self) { try ChunkListNode(decoding: bytes.span) }
      #expect(error?.code == .unsupported)
    }
  }

  /// Sums that do not fit 64 bits are refused, not wrapped.
  @Test func overflowIsRefused() {
    let child = ChunkListChild(id: ObjectID(hashing: [1].span), bytes: 1 << 63)
    let node = ChunkListNode(level: 4, bytes: 0, entries: .nodes([child, child]))
    let error = #expect(throws: ObjectFormatError.self) { try ChunkListNode(decoding: node.encoded().span) }
    #expect(error?.code == .overflow)
  }

  /// Makes the hash at the end right.
  private static func seal(_ bytes: inout [UInt8]) {
    bytes.removeLast(32)
    ObjectID(hashing: bytes.span).append(to: &bytes)
  }

  private static func expectRefusedOrCanonical(_ bytes: [UInt8]) {
    guard let node = try? ChunkListNode(decoding: bytes.span) else { return }
    #expect(node.encoded() == bytes)
  }
}
