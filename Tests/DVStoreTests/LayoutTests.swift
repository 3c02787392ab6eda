import DVBackend
import DVObject
@testable import DVStore
import Testing

/// The vectors of docs/format/store-layout.md.
@Test func recordsHaveTheDocumentedBytes() throws {
  let (a, b, c) = (ObjectID(hashing: [97].span), ObjectID(hashing: [98].span), ObjectID(hashing: [99].span))
  #expect(hash(StoreFormat.current.encoded()) == "cafc5bf2d4a0a7ac96691ad5b38a96f01570bccd2469cfed69d34ec1ad74a04b")
  let root = RootRecord(
    kind: .root, time: 1_790_000_000,
    roots: [.init(kind: .tree, oid: b, size: 314_572_800), .init(kind: .file, oid: a, size: 1_048_576)],
    supersedes: ["01k5n8gp00abcdefghjkmnpqrs-" + c.hex])
  #expect(hash(root.encoded()) == "9345bb303ec701581c9199c1ea2725e09ed34950babac19444c6df7772799896")
  #expect(try RootRecord(decoding: root.encoded()) == root)
  #expect(hash(CondemnedList.encode(time: 1_790_000_000, packs: [a])) == "ba8874ed1f9f8d7db84746fe847916052cbe49cdfedad4d38e0afc8f3ece9ac3")
  let push = try #require(ULID("01k5n8gp00abcdefghjkmnpqrs"))
  let retired = RetiredList.encode(time: 1_790_000_000, pushes: [push], roots: ["\(push)-\(c.hex)"])
  #expect(hash(retired) == "b38aa8c1c599d04c36aabf387841d70c8eefb1d2eb45fa42f9d0feef92279df8")
  let read = try RetiredList.decode(retired, key: BackendKey("retired/x"))
  #expect(read.pushes == [push] && read.roots == ["\(push)-\(c.hex)"] && read.time == 1_790_000_000)
  for end in retired.indices { #expect(throws: (any Error).self) { try RetiredList.decode(Array(retired[..<end]) + [10, 10], key: BackendKey("retired/x")) } }
}

private func hash(_ bytes: [UInt8]) -> String { ObjectID(hashing: bytes.span).hex }

/// A record with any byte more, less or changed is refused, or is another record in canonical form.
@Test func onlyCanonicalRecordsAreRead() throws {
  let root = RootRecord(
    kind: .root, time: 12, roots: [.init(kind: .file, oid: ObjectID(hashing: [97].span), size: 7)],
    supersedes: ["01k5n8gp00abcdefghjkmnpqrs-" + ObjectID(hashing: [98].span).hex])
  let bytes = root.encoded()
  for index in bytes.indices {
    #expect((try? RootRecord(decoding: Array(bytes[..<index]))).map { $0.encoded() == Array(bytes[..<index]) } ?? true)
    for bit in 0..<8 {
      var changed = bytes
      changed[index] ^= 1 << UInt8(bit)
      if let read = try? RootRecord(decoding: changed) {
        #expect(read != root)
        #expect(read.encoded() == changed)
      }
    }
  }
  #expect(throws: (any Error).self) { try RootRecord(decoding: bytes + [10]) }
}

@Test func formatsAreReadStrictly() {
  let bytes = StoreFormat.current.encoded()
  #expect(StoreFormat(decoding: bytes) == .current)
  for index in bytes.indices { #expect(StoreFormat(decoding: Array(bytes[..<index])) == nil) }
  #expect(StoreFormat(decoding: bytes + [10]) == nil)
  // Text that had to be repaired is another (found by fuzzing).
  let wrong = bytes.map { $0 == UInt8(ascii: "x") ? 0x92 : $0 }
  #expect(StoreFormat(decoding: wrong) == nil && !StoreFormat.isOfAnotherVersion(wrong))
  let bare = StoreFormat(read: [], write: [], gc: ["packs-1"])
  #expect(StoreFormat(decoding: bare.encoded()) == bare)
  #expect(StoreFormat.unknown(in: ["packs-1", "packs-9"]) == ["packs-9"])
}

@Test func timeOrderedNamesComeBack() throws {
  #expect(ULID("00000000000000000000000000")?.seconds == 0)
  #expect(ULID("80000000000000000000000000") == nil)
  #expect(ULID("7zzzzzzzzzzzzzzzzzzzzzzzzz")?.description == "7zzzzzzzzzzzzzzzzzzzzzzzzz")
  for seconds in [0.0, 1.5, 1_790_000_000.25, 4e9] {
    let name = ULID(seconds: seconds)
    #expect(ULID(name.description) == name)
    #expect(abs(name.seconds - seconds) < 0.001)
    #expect(ULID(seconds: seconds + 1) > name)
    #expect(ULID(seconds: seconds + 1).description > name.description)
  }
}
