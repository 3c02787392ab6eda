import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// A large file is cut where the chunker cuts it, wherever the buffers end.
@Test(arguments: 0..<4)
func largeFilesAreCutAsTheChunkerDoes(seed: UInt64) async throws {
  try await withTemporaryDirectory { directory in
    var random = SeededGenerator(seed: seed)
    let kinds = SampleKind.allCases.shuffled(using: &random)
    var content: [UInt8] = []
    for kind in kinds { content += kind.bytes(Int.random(in: 1...4_000_000, using: &random), using: &random) }
    if seed == 0 { content += kinds[0].bytes((8 << 20) - content.count % (4 << 20), using: &random) }
    let path = directory.appending("file")
    try path.createContent(content.span)
    let store = try await openStore(in: directory)
    let writer = ObjectWriter(store: store)
    let (oid, size) = try await ContentIngest(writer: writer).ingestLarge(try FileReader(path))
    _ = try await writer.finish()
    #expect(oid == ObjectID(hashing: content.span))
    #expect(size == UInt64(content.count))
    var expected: [ChunkReference] = []
    var chunker = Chunker()
    var start = 0
    while start < content.count {
      let length = chunker.nextBoundary(in: content.span.extracting(start..<content.count)) ?? content.count - start
      expected.append(ChunkReference(id: ObjectID(hashing: content.span.extracting(start..<(start + length))), length: length))
      start += length
    }
    var chunks: [ChunkReference] = []
    try await store.forEachChunkList(of: oid, size: size) { chunks += $0 }
    #expect(chunks == expected)
    #expect(try await openStore(in: directory).holds([content]))
    // The same again, by a machine of other cores: the same chunks.
    for cores in [1, 2, 3, 16] {
      let again = ObjectWriter(store: store)
      let (same, _) = try await ContentIngest(writer: again, cores: cores).ingestLarge(try FileReader(path))
      #expect(same == oid)
      #expect(try await again.finish() == WriteReport(), "\(cores) cores")
    }
    // And as a small file's bytes: nothing is new.
    let again = ObjectWriter(store: store)
    var memory = CodecMemory()
    #expect(try await ContentIngest(writer: again).ingest(content, memory: &memory) == oid)
    #expect(try await again.finish() == WriteReport())
    #expect(try await ContentIngest(writer: nil).ingestLarge(try FileReader(path)).oid == oid)
  }
}

/// A file that shrank to one chunk, or to nothing, since it was found large.
@Test(arguments: [0, 1, 5_000, 16_384])
func shortFilesPassAsLargeOnes(count: Int) async throws {
  try await withTemporaryDirectory { directory in
    let content = [UInt8](repeating: 3, count: count)
    let path = directory.appending("file")
    try path.createContent(content.span)
    let store = try await openStore(in: directory)
    let writer = ObjectWriter(store: store)
    let (oid, _) = try await ContentIngest(writer: writer).ingestLarge(try FileReader(path))
    _ = try await writer.finish()
    #expect(try await store.holds([content]))
    #expect(oid == ObjectID(hashing: content.span))
  }
}
