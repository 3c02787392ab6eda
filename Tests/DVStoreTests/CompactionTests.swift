import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// The contents of 200 sessions, of a few hundred bytes each.
private func tinyContents(_ count: Int, seed: UInt64) -> [[UInt8]] {
  var random = SeededGenerator(seed: seed)
  return (0..<count).map { _ in [UInt8](randomCount: Int.random(in: 100...900, using: &random), using: &random) }
}

/// However many small sessions there are, few files stay, and all is readable, for those too who opened the store
/// before and read meanwhile.
@Test(arguments: [LoadedSegment.wholeLimit, 0])
func smallSessionsGrowTogether(wholeLimit: UInt64) async throws {
  try await withTemporaryDirectory { directory in
    let contents = tinyContents(200, seed: 21)
    let store = try await openStore(in: directory, wholeLimit: wholeLimit)
    try await store.add(Array(contents[..<10]))
    let reader = try await openStore(in: directory, wholeLimit: wholeLimit)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for _ in 0..<60 where try await !reader.holds(Array(contents[..<10])) { Issue.record("lost") }
      }
      for content in contents { try await store.add([content]) }
      try await group.waitForAll()
    }
    let (packs, segments) = (try await store.backend.keys("packs/"), try await store.backend.keys("index/"))
    #expect(packs.count <= 32 + 3)
    #expect(segments.count <= 32 + 3)
    for store in [store, reader, try await openStore(in: directory)] { #expect(try await store.holds(contents)) }
    #expect(try directory.appending("store/tmp").entryCount() == 0)
  }
}

/// Two processes that write small sessions and merge at the same time lose nothing.
@Test func mergesOfTwoProcessesLoseNothing() async throws {
  try await withTemporaryDirectory { directory in
    let contents = tinyContents(320, seed: 22)
    let stores = [try await openStore(in: directory), try await openStore(in: directory)]
    try await (0..<2).forEachConcurrently(width: 2) { side in
      for index in 0..<160 { try await stores[side].add([contents[index * 2 + side]]) }
    }
    #expect(try await openStore(in: directory).holds(contents))
    for store in stores { #expect(try await store.holds(contents)) }
  }
}

/// An object of a rewritten pack that only a segment outside the merge names is still found.
@Test func rewrittenPacksKeepObjectsOfOtherSegments() async throws {
  try await withTemporaryDirectory { directory in
    let store = try await openStore(in: directory)
    let contents = tinyContents(3, seed: 23)
    try await store.add(contents)
    // Cut the one segment into two at level 1, as a merge of full segments would.
    let segment = store.index.all[0]
    var merge = SegmentMerge(store: store)
    merge.entryLimit = 1
    try await merge.run([segment], level: 1)
    #expect(store.index.all.count == 3)
    // Rewrite the pack while one of the three is merged.
    let part = store.index.all[0]
    let pack = try #require(part.head.containers.first)
    let table = try #require(try await store.table(of: pack))
    let bytes = try #require(try await store.backend.get(StoreLayout.container(pack)))
    var copy = try OpenPack(in: store.scratch)
    for entry in table.entries {
      let range = entry.offset..<(entry.offset + entry.storedLength)
      try copy.append(entry.key, codec: entry.codec, stored: bytes.span.extracting(range), length: entry.length)
    }
    let sealed = try copy.seal()
    try await store.install(sealed)
    let copies = SegmentWriter.segment(of: [sealed])
    var second = SegmentMerge(store: store)
    second.rewritten = [pack.id]
    second.copies = try LoadedSegment(id: copies.id, level: 0, bytes: copies.bytes, wholeLimit: .max)
    try await second.run([part], level: 2)
    #expect(try await store.backend.get(StoreLayout.container(pack)) == nil)
    #expect(try await store.holds(contents))
    #expect(try await openStore(in: directory).holds(contents))
  }
}

/// A merge cuts its output where it is full, keeps a key's entries together, and says in the last what all supersede.
@Test func mergesCutTheirOutput() async throws {
  try await withTemporaryDirectory { directory in
    let backend = MemoryBackend()
    let store = try await openStore(backend, scratch: directory)
    let contents = tinyContents(40, seed: 24)
    for content in contents { try await store.add([content]) }
    let segments = store.index.all
    var merge = SegmentMerge(store: store)
    merge.entryLimit = 7
    try await merge.run(segments, level: 1)
    let merged = store.index.all
    #expect(merged.count == 6)
    #expect(merged.allSatisfy { $0.level == 1 && $0.head.entryCount <= 7 })
    let last = merged.filter { !$0.head.superseded.isEmpty }
    #expect(last.count == 1)
    #expect(Set(last[0].head.superseded.map(\.id)) == Set(segments.map(\.id)))
    #expect(try await openStore(backend, scratch: directory).holds(contents))
  }
}

/// A backend that refuses to delete.
struct KeepingBackend: Backend {
  let base: MemoryBackend
  var description: String { base.description }
  var answersAtOnce: Bool { base.answersAtOnce }
  func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) { try await base.put(bytes, at: key) }
  func put(file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool) async throws(BackendError) {
    try await base.put(file: file, size: size, digest: digest, at: key, consuming: consuming)
  }
  func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? { try await base.get(key) }
  func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    try await base.get(key, range: range)
  }
  func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    try await base.fetch(key, into: file)
  }
  func size(of key: BackendKey) async throws(BackendError) -> UInt64? { try await base.size(of: key) }
  func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] { try await base.list(prefix) }
  func delete(_ key: BackendKey) async throws(BackendError) { throw BackendError(.denied, key: key, message: "No.") }
  func clock() async throws(BackendError) -> Int64 { try await base.clock() }
}

/// Where nobody may delete, what was merged stays and is not merged again and again.
@Test func whatCannotBeDeletedIsNotMergedAgain() async throws {
  try await withTemporaryDirectory { directory in
    let backend = KeepingBackend(base: MemoryBackend())
    let contents = tinyContents(40, seed: 25)
    for content in contents {
      // Each session as a process of its own.
      try await openStore(backend, scratch: directory).add([content])
    }
    let store = try await openStore(backend, scratch: directory)
    #expect(try await backend.keys("index/1-").count == 1)
    #expect(store.index.all.count == 1 + 40 - 33)
    #expect(try await store.holds(contents))
  }
}

/// What a session inserts while another task reads the list anew is not forgotten.
@Test func refreshesForgetNothing() async throws {
  try await withTemporaryDirectory { directory in
    let store = try await openStore(in: directory)
    let contents = tinyContents(120, seed: 26)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for side in 0..<3 {
        group.addTask {
          for index in 0..<40 {
            let content = contents[side * 40 + index]
            try await store.add([content])
            let key = ObjectKey(kind: .chunk, id: ObjectID(hashing: content.span))
            if try await !store.contains(key) { Issue.record("forgotten") }
          }
        }
      }
      group.addTask { for _ in 0..<200 { try await store.refresh() } }
      try await group.waitForAll()
    }
    #expect(try await store.holds(contents))
  }
}
