import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import DVZlib
import SystemPackage
import Testing

/// An index segment of three objects in two containers.
struct SampleSegment {
  let containers = [
    IndexContainer(kind: .pack, id: ObjectID(hashing: Array("pack".utf8).span), size: 5_000),
    IndexContainer(kind: .wholeFile, id: ObjectID(hashing: Array("file".utf8).span), size: 300),
  ]
  let superseded = [IndexSupersession(kind: .segment, id: ObjectID(hashing: Array("old".utf8).span))]
  let entries: [IndexEntry]
  let bytes: [UInt8]
  let id: ObjectID

  init() {
    func key(_ kind: ObjectKind, _ text: String) -> ObjectKey { ObjectKey(kind: kind, id: ObjectID(hashing: Array(text.utf8).span)) }
    entries = [
      IndexEntry(key: key(.treeNode, "t"), codec: .zstd, container: 0, offset: 120, storedLength: 40, length: 99),
      IndexEntry(key: key(.chunk, "c"), codec: .raw, container: 1, offset: 0, storedLength: 300, length: 300),
      IndexEntry(key: key(.chunk, "c"), codec: .zstdGrouped2, container: 0, offset: 216, storedLength: 77, length: 300),
    ]
    (id, bytes) = SegmentWriter.segment(of: entries, containers: containers, superseding: superseded)
  }

  static func entries(of bytes: [UInt8]) throws -> [IndexEntry] {
    let head = try IndexSegmentHead(decoding: bytes.span)
    guard UInt64(bytes.count) == head.segmentByteCount else { throw PackFormatError.truncated("the blocks") }
    var entries: [IndexEntry] = []
    for index in head.firstKeys.indices {
      let start = head.byteCount + index * IndexBlock.byteCount
      let block = try IndexBlock(decoding: Array(bytes[start..<(start + IndexBlock.byteCount)]), crc32: CRC32.checksum)
      for entry in 0..<block.count { entries.append(try block.entry(at: entry, in: head.containers)) }
    }
    return entries
  }
}

/// The bytes of docs/format/index.md; the rest are zeros.
@Test func segmentsHaveTheDocumentedBytes() throws {
  let sample = SampleSegment()
  #expect(sample.bytes.count == 8192)
  let head = [UInt8](hex: GoldenFormats.segmentHead)
  #expect(Array(sample.bytes[..<head.count]) == head)
  #expect(sample.bytes[head.count..<4096].allSatisfy { $0 == 0 })
  let entries = [UInt8](hex: GoldenFormats.segmentEntries)
  #expect(Array(sample.bytes[4096..<(4096 + entries.count)]) == entries)
  #expect(sample.bytes[(4096 + entries.count)..<8184].allSatisfy { $0 == 0 })
  #expect(Array(sample.bytes[8184...]) == [UInt8](hex: GoldenFormats.segmentBlockEnd))
  #expect(try SampleSegment.entries(of: sample.bytes) == sample.entries.sorted(by: IndexEntry.precedes))
}

/// Even a reader that cannot check the segment's name, as it reads blocks only, notices every flipped bit.
@Test func everyFlippedBitOfASegmentIsNoticed() throws {
  let sample = SampleSegment()
  for position in 0..<(sample.bytes.count * 8) {
    var bytes = sample.bytes
    bytes[position / 8] ^= 1 << UInt8(position % 8)
    let entries = try? SampleSegment.entries(of: bytes)
    if entries != nil { Issue.record("bit \(position)") }
  }
}

@Test func everyTruncatedSegmentIsNoticed() throws {
  let sample = SampleSegment()
  for count in 0..<sample.bytes.count where (try? SampleSegment.entries(of: Array(sample.bytes[..<count]))) != nil {
    Issue.record("\(count) bytes")
  }
}

/// A block that is right by its checksum but points outside its container is refused.
@Test func entriesBeyondTheirContainerAreRefused() throws {
  let sample = SampleSegment()
  let (entry, size) = (sample.entries[0], sample.containers[0].size)
  for (offset, isGood) in [(size - 40, true), (size - 39, false), (size, false), (UInt64.max, false), (.max - 20, false)] {
    var bytes: [UInt8] = []
    let moved = IndexEntry(
      key: entry.key, codec: entry.codec, container: 0, offset: offset, storedLength: entry.storedLength, length: entry.length)
    IndexBlock.append([moved][...], to: &bytes, crc32: CRC32.checksum)
    let block = try IndexBlock(decoding: bytes, crc32: CRC32.checksum)
    #expect(((try? block.entry(at: 0, in: sample.containers)) != nil) == isGood, "offset \(offset)")
    #expect((try? block.entry(at: 0, in: [])) == nil)
  }
}

/// Every key is found in every segment, and no other, whatever the number of entries, of equal keys and of keys that
/// share their first eight bytes.
@Test(arguments: 0..<24)
func everyKeyIsFoundInItsBlocks(seed: UInt64) async throws {
  var random = SeededGenerator(seed: seed)
  let container = IndexContainer(kind: .pack, id: ObjectID(hashing: [1].span), size: 1 << 40)
  var entries: [IndexEntry] = []
  let shared = [UInt8](randomCount: 8, using: &random)
  for index in 0..<Int.random(in: 0...700, using: &random) {
    // A third share their prefix, and some are there several times, over the ends of blocks.
    let isShared = Int.random(in: 0..<3, using: &random) == 0
    let bytes = (isShared ? shared : [UInt8](randomCount: 8, using: &random)) + [UInt8](randomCount: 24, using: &random)
    let key = ObjectKey(kind: ObjectKind.allCases[Int.random(in: 0..<4, using: &random)], id: try ObjectID(bytes: bytes.span))
    for copy in 0...(index % 50 == 0 ? 160 : 0) {
      entries.append(
        IndexEntry(key: key, codec: .zstd, container: 0, offset: UInt64(copy) << 20, storedLength: 9, length: 20))
    }
  }
  let segment = SegmentWriter.segment(of: entries, containers: [container])
  let backend = MemoryBackend()
  try await backend.put(segment.bytes, at: StoreLayout.segment(segment.id, level: 0))
  let size = UInt64(segment.bytes.count)
  // Held whole, and block by block.
  for limit in [UInt64.max, 0] {
    let loaded = try #require(
      try await LoadedSegment.load(id: segment.id, level: 0, size: size, from: backend, wholeLimit: limit))
    var all: [IndexEntry] = []
    try await loaded.forEachEntry(from: backend) { entry in all.append(entry) }
    #expect(all == entries.sorted(by: IndexEntry.precedes))
    for (key, places) in Dictionary(grouping: entries, by: \.key) {
      #expect(try await loaded.entries(of: key, from: backend).count == places.count)
      #expect(loaded.containsWithoutReading(key) == (limit == 0 ? nil : true))
    }
    for _ in 0..<50 {
      let bytes = shared + [UInt8](randomCount: 24, using: &random)
      let key = ObjectKey(kind: .chunk, id: try ObjectID(bytes: bytes.span))
      #expect(try await loaded.entries(of: key, from: backend).isEmpty)
    }
  }
}

/// A file in `index/` whose name is no segment's is left alone.
@Test func otherNamesInTheIndexAreLeftAlone() async throws {
  try await withTemporaryDirectory { directory in
    let backend = MemoryBackend()
    let id = ObjectID(hashing: [1].span).hex
    for name in ["index/00-\(id)", "index/0-\(id.dropLast())", "index/63-\(id)", "index/x", "index/0-\(id)-1"] {
      try await backend.put([1, 2, 3], at: BackendKey(name))
    }
    let store = try await openStore(backend, scratch: directory)
    #expect(store.index.all.isEmpty)
  }
}
