import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import DVZlib
import SystemPackage
import Testing

/// A pack of three objects, made without the writer.
struct SamplePack {
  let contents: [[UInt8]] = [Array("a".utf8), Array("hello, pack\n".utf8), []]
  let bytes: [UInt8]
  let table: PackTable

  init() {
    var bytes = PackHeader(salt: (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)).encoded()
    var entries: [PackTableEntry] = []
    for content in contents {
      let key = ObjectKey(kind: .chunk, id: ObjectID(hashing: content.span))
      let header = PackEntryHeader(key: key, codec: .raw, storedLength: content.count, length: content.count)
      header.append(to: &bytes, crc32: CRC32.checksum)
      entries.append(PackTableEntry(header: header, offset: bytes.count))
      bytes += content
    }
    table = PackTable(entries: entries)
    bytes += table.encoded(at: UInt64(bytes.count))
    self.bytes = bytes
  }

  /// Reads a pack as a reader without an index does: table and trailer, then every entry with its header.
  static func objects(of bytes: [UInt8]) throws -> [ObjectKey: [UInt8]] {
    let span = bytes.span
    _ = try PackHeader(decoding: span)
    guard bytes.count >= PackTable.trailerByteCount else { throw PackFormatError.truncated("the trailer") }
    let range = try PackTable.range(
      trailer: span.extracting((bytes.count - PackTable.trailerByteCount)..<bytes.count), packSize: UInt64(bytes.count))
    let table = try PackTable(
      decoding: span.extracting(Int(range.lowerBound)..<bytes.count), at: range.lowerBound)
    var objects: [ObjectKey: [UInt8]] = [:]
    for entry in table.entries {
      let start = entry.offset - PackEntryHeader.byteCount
      let header = try PackEntryHeader(decoding: span.extracting(start..<bytes.count), crc32: CRC32.checksum)
      guard header.key == entry.key, header.codec == entry.codec, header.storedLength == entry.storedLength,
        header.length == entry.length
      else { throw PackFormatError.damaged("an entry") }
      let content = Array(bytes[entry.offset..<(entry.offset + entry.storedLength)])
      guard ObjectID(hashing: content.span) == entry.key.id else { throw PackFormatError.damaged("an object") }
      objects[entry.key] = content
    }
    return objects
  }
}

/// The bytes of docs/format/pack.md.
@Test func packsHaveTheDocumentedBytes() throws {
  #expect(SamplePack().bytes == [UInt8](hex: GoldenFormats.pack))
}

/// However one bit of a pack is flipped, a reader notices.
@Test func everyFlippedBitOfAPackIsNoticed() throws {
  let pack = SamplePack()
  let objects = try SamplePack.objects(of: pack.bytes)
  #expect(objects.count == 3)
  for position in 0..<(pack.bytes.count * 8) {
    var bytes = pack.bytes
    bytes[position / 8] ^= 1 << UInt8(position % 8)
    #expect(throws: PackFormatError.self, "bit \(position)") { try SamplePack.objects(of: bytes) }
  }
}

@Test func everyTruncatedPackIsNoticed() throws {
  let pack = SamplePack()
  for count in 0..<pack.bytes.count {
    #expect(throws: PackFormatError.self, "\(count) bytes") { try SamplePack.objects(of: Array(pack.bytes[..<count])) }
  }
}

/// A table that is right by its hash but claims what cannot be is refused, whatever it claims.
@Test func hostileTablesAreRefused() throws {
  let pack = SamplePack()
  let end = pack.bytes.count - PackTable.trailerByteCount - 3 * PackTable.rowByteCount
  let good = Array(pack.bytes[end...])
  func refused(_ change: (inout [UInt8]) -> Void) -> Bool {
    var bytes = good
    change(&bytes)
    bytes.removeLast(32)
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return (try? PackTable(decoding: bytes.span, at: UInt64(end))) == nil
  }
  #expect(!refused { _ in })
  for field in [32, 36, 40] {
    for value: UInt32 in [0, 1, 0x7fff_ffff, .max] {
      #expect(refused { $0.replace(at: 48 + field, bigEndian: value) }, "field \(field), \(value)")
    }
  }
  #expect(refused { $0[44] = 0 })
  #expect(refused { $0[44] = 6 })
  #expect(refused { $0[45] = 9 })
  #expect(refused { $0[46] = 1 })
  let trailer = good.count - 64
  #expect(refused { $0.replace(at: trailer, bigEndian: UInt64.max) })
  #expect(refused { $0.replace(at: trailer + 8, bigEndian: UInt32.max) })
  #expect(refused { $0.replace(at: trailer + 12, bigEndian: UInt16(2)) })
  #expect(refused { $0.replace(at: trailer + 14, bigEndian: UInt16(1)) })
  #expect(refused { $0.replace(at: trailer + 16, bigEndian: UInt64(1)) })
}

/// A pack made by a session can be read without any index.
@Test func writtenPacksDescribeThemselves() async throws {
  try await withTemporaryDirectory { directory in
    let store = try await openStore(in: directory)
    var random = SeededGenerator(seed: 4)
    let contents = SampleKind.allCases.map { $0.bytes(9_000, using: &random) }
    try await store.add(contents)
    let key = try #require(try await store.backend.keys("packs/").first)
    let bytes = try #require(try await store.backend.get(key))
    let range = try PackTable.range(
      trailer: bytes.span.extracting((bytes.count - 64)..<bytes.count), packSize: UInt64(bytes.count))
    let table = try PackTable(
      decoding: bytes.span.extracting(Int(range.lowerBound)..<bytes.count), at: range.lowerBound)
    #expect(Set(table.entries.map(\.key.id)) == Set(contents.map { ObjectID(hashing: $0.span) }))
    #expect(StoreLayout.pack(from: key) == ObjectID(hashing: bytes.span))
  }
}
