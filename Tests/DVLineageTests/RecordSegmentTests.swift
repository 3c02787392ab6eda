import DVLineage
import DVObject
import DVTesting
import Testing

/// Segments of records. Format: `docs/format/record-segment.md`.
struct RecordSegmentTests {
  private static func digest(_ text: String) -> ObjectID { ObjectID(hashing: Array(text.utf8).span) }

  private static func record(_ json: String) throws -> Record { try Record(decoding: Array(json.utf8)) }

  private static func sample() throws -> [Record] {
    [
      try record(
        "{\"key\":\"\(digest("key").hex)\",\"outputs\":[{\"oid\":\"\(digest("out").hex)\",\"path\":\"o\",\"size\":3}],"
          + "\"type\":\"run\",\"version\":1}"),
      try record("{\"type\":\"note\",\"version\":1}"),
    ]
  }

  /// The bytes were computed by a program of their own.
  @Test func aSegmentHasTheseBytes() throws {
    let segment = try RecordSegment(Self.sample(), superseding: [Self.digest("old")])
    #expect(segment.id.hex == "e103c1c4d58f1649e626323dfc421ad55010f9b80f2852104c65a5d4577b7c65")
    #expect(segment.bytes.count == 441)
    #expect(segment.superseded == [Self.digest("old")])
    #expect(try RecordSegment(decoding: segment.bytes, named: segment.id).ids == segment.ids)
  }

  @Test func recordsAreFoundByNameKeyAndOutput() throws {
    var records: [Record] = []
    for number in 0..<500 {
      records.append(
        try Self.record(
          "{\"key\":\"\(Self.digest("key \(number % 50)").hex)\",\"number\":\(number),"
            + "\"outputs\":[{\"oid\":\"\(Self.digest("out \(number % 7)").hex)\"}],\"type\":\"run\",\"version\":1}"))
    }
    let segment = try RecordSegment(records + records.prefix(3))
    #expect(Set(segment.ids) == Set(records.map(\.id)))
    for record in records { #expect(try segment.record(record.id) == record) }
    #expect(try segment.record(Self.digest("no record")) == nil)
    #expect(try Set(segment.records(key: Self.digest("key 7")).compactMap { $0.json["number"]?.integer }) == Set((0..<10).map { 50 * $0 + 7 }))
    #expect(try segment.records(key: Self.digest("no key")).isEmpty)
    #expect(try segment.records(output: Self.digest("out 6")).count == 71)
  }

  /// Whatever bytes come from a remote: an error, or records that are what their names say.
  @Test(arguments: 0..<16)
  func damageIsRefused(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let good = try RecordSegment(Self.sample(), superseding: [Self.digest("old")])
    for _ in 0..<200 {
      var bytes = good.bytes
      switch Int.random(in: 0..<3, using: &random) {
      case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
      case 1: bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      default: bytes.replace(at: 4 * Int.random(in: 2..<(bytes.count / 4 - 1), using: &random), bigEndian: UInt32.random(in: 0 ... .max, using: &random))
      }
      guard bytes != good.bytes else { continue }
      #expect(throws: RecordError.self) { _ = try RecordSegment(decoding: bytes, named: good.id) }
      guard let segment = try? RecordSegment(decoding: bytes) else { continue }
      for id in segment.ids {
        if let record = try? segment.record(id) { #expect(ObjectID(hashing: record.bytes.span) == id) }
      }
      _ = try? segment.records(key: Self.digest("key"))
      _ = try? segment.records(output: Self.digest("out"))
    }
  }
}
