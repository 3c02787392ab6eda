import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// Opens a store in memory.
func memoryStore(_ backend: MemoryBackend = MemoryBackend(), scratch: FilePath) async throws -> ObjectStore {
  try await ObjectStore(backend: backend, name: "the test store", scratch: scratch, presence: .mayBeMade)
}

@Suite struct StoreRoundTripTests {
  /// Contents of every kind of size and compressibility come back bit for bit.
  @Test(arguments: 0..<6)
  func contentsComeBack(seed: UInt64) async throws {
    let directory = try TemporaryDirectory(in: FilePath("/tmp"))
    do {
      let store = try await memoryStore(scratch: directory.path)
      var random = SeededGenerator(seed: seed)
      var contents: [[UInt8]] = [[], [7], Array(repeating: 0, count: 300_000)]
      contents.append([UInt8](randomCount: 16_384, using: &random))
      contents.append([UInt8](randomCount: 700_000, using: &random))
      contents.append((0..<400_000).map { UInt8(truncatingIfNeeded: $0 / 7 % 11 + 48) })
      contents.append(floats(count: 200_000, using: &random))
      let writer = ObjectWriter(store: store)
      let ingest = ContentIngest(writer: writer)
      var memory = CodecMemory()
      var oids: [ObjectID] = []
      for content in contents { oids.append(try await ingest.ingest(content, memory: &memory)) }
      let report = try await writer.finish()
      #expect(report.packs == 1)
      for (oid, content) in zip(oids, contents) {
        #expect(oid == ObjectID(hashing: content.span))
        var read: [UInt8] = []
        try await store.readFile(oid, size: UInt64(content.count)) { read.append(span: $0) }
        #expect(read == content)
      }
    }
  }

  /// Little-endian 2-byte floats of one sign and close exponents, as weights are.
  private func floats(count: Int, using random: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<count {
      bytes.append(UInt8.random(in: .min ... .max, using: &random))
      bytes.append(UInt8.random(in: 59...61, using: &random))
    }
    return bytes
  }
}
