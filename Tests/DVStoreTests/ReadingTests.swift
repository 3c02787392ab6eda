import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

extension MemoryBackend {
  /// Changes what is under `key` as damage does.
  fileprivate func damage(_ key: BackendKey, _ change: (inout [UInt8]) -> Void) async throws {
    guard var bytes = try await get(key) else { return }
    change(&bytes)
    try await delete(key)
    try await put(bytes, at: key)
  }
}

/// Two copies of the same contents in two packs, and the keys of the packs.
private func twoCopies(
  of contents: [[UInt8]], _ backend: MemoryBackend, scratch: FilePath
) async throws -> (store: ObjectStore, packs: [BackendKey]) {
  let (first, second) = (try await openStore(backend, scratch: scratch), try await openStore(backend, scratch: scratch))
  // Neither knows of the other's session.
  try await first.add(contents)
  try await second.add(contents)
  let packs = try await backend.keys("packs/")
  return (try await openStore(backend, scratch: scratch), packs)
}

/// A damaged, shortened or absent copy is passed over for another one, whichever of them it is.
@Test(arguments: 0..<2, 0..<3)
func damagedCopiesArePassedOver(copy: Int, damage: Int) async throws {
  try await withTemporaryDirectory { directory in
    var random = SeededGenerator(seed: 41)
    let contents = [[UInt8](randomCount: 5_000, using: &random), [UInt8](randomCount: 900_000, using: &random)]
    let backend = MemoryBackend()
    let (store, packs) = try await twoCopies(of: contents, backend, scratch: directory)
    #expect(packs.count == 2)
    if damage == 2 {
      try await backend.delete(packs[copy])
    } else {
      try await backend.damage(packs[copy]) { bytes in
        if damage == 0 { for index in 64..<bytes.count { bytes[index] ^= 1 } } else { bytes.removeLast(bytes.count - 1_000) }
      }
    }
    for content in contents {
      let oid = ObjectID(hashing: content.span)
      #expect(try await store.content(of: oid, size: content.count, thorough: true) == content)
      if content.count < 10_000 { #expect(try await store.content(of: oid, size: content.count) == content) }
    }
  }
}

/// Without a whole copy, the damage is named, and nothing wrong is delivered as right.
@Test func damageIsNamed() async throws {
  try await withTemporaryDirectory { directory in
    var random = SeededGenerator(seed: 42)
    let content = [UInt8](randomCount: 600_000, using: &random)
    let backend = MemoryBackend()
    let store = try await openStore(backend, scratch: directory)
    let oid = try await store.add([content])[0]
    let pack = try await backend.keys("packs/")[0]
    try await backend.damage(pack) { $0[200_000] ^= 0x10 }
    let error = await #expect(throws: StoreError.self) { try await store.content(of: oid, size: content.count) }
    #expect(error?.code == .corrupt)
    let second = await #expect(throws: StoreError.self) {
      try await store.content(of: oid, size: content.count, thorough: true)
    }
    #expect(second?.code == .corrupt)
    let chunk = try #require(second?.key)
    #expect(chunk.kind == .chunk)
    #expect(second?.message.contains(chunk.id.hex) == true)
    #expect(second?.message.contains(pack.text) == true)
    try await backend.delete(pack)
    let third = await #expect(throws: StoreError.self) { try await store.content(of: oid, size: content.count) }
    #expect(third?.code == .missing)
    let unknown = ObjectID(hashing: [9].span)
    let fourth = await #expect(throws: StoreError.self) { try await store.content(of: unknown, size: 5) }
    #expect(fourth?.code == .missing)
    #expect(fourth?.message.contains(unknown.hex) == true)
    // A wrong size in a pointer is no license to deliver.
    await #expect(throws: StoreError.self) { try await store.content(of: ObjectID(hashing: [UInt8]().span), size: 3) }
    await #expect(throws: StoreError.self) { try await store.content(of: unknown, size: 0) }
  }
}

/// A copy that cannot be looked at is passed over too, and is no damage if it is the only one.
@Test func unreadableCopiesArePassedOver() async throws {
  try await withTemporaryDirectory { directory in
    let content: [UInt8] = Array("some content".utf8)
    let (first, second) = (try await openStore(in: directory), try await openStore(in: directory))
    let oid = try await first.add([content])[0]
    try await first.refresh()
    let alone = await #expect(throws: StoreError.self) {
      try await FaultPlan(at: 3, .fail(.ioError)).run { try await first.content(of: oid, size: content.count) }
    }
    #expect(alone?.code == .other || alone?.code == .unreachable)
    try await second.add([content])
    let store = try await openStore(in: directory)
    #expect(try await store.locations(of: ObjectKey(kind: .chunk, id: oid)).count == 2)
    let read = try await FaultPlan(at: 3, .fail(.ioError)).run { try await store.content(of: oid, size: content.count) }
    #expect(read == content)
  }
}

/// What the sink throws ends the reading.
@Test func sinksMayStop() async throws {
  struct Enough: Error {}
  try await withTemporaryDirectory { directory in
    let store = try await openStore(MemoryBackend(), scratch: directory)
    var random = SeededGenerator(seed: 43)
    let content = [UInt8](randomCount: 20 << 20, using: &random)
    let path = directory.appending("file")
    try path.createContent(content.span)
    let writer = ObjectWriter(store: store)
    let (oid, size) = try await ContentIngest(writer: writer).ingestLarge(try FileReader(path))
    _ = try await writer.finish()
    var pieces = 0
    await #expect(throws: Enough.self) {
      try await store.readFile(oid, size: size) { _ in
        pieces += 1
        if pieces == 2 { throw Enough() }
      }
    }
    #expect(pieces == 2)
    #expect(try await store.content(of: oid, size: content.count) == content)
  }
}
