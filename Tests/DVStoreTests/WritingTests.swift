import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import Synchronization
import SystemPackage
import Testing

/// Many tasks of one session that store overlapping contents store each chunk once.
@Test func tasksOfOneSessionShareChunks() async throws {
  try await withTemporaryDirectory { directory in
    let store = try await openStore(in: directory)
    let writer = ObjectWriter(store: store)
    let ingest = ContentIngest(writer: writer)
    var random = SeededGenerator(seed: 1)
    let parts = (0..<12).map { _ in [UInt8](randomCount: 90_000, using: &random) }
    let contents = (0..<60).map { index -> [UInt8] in
      parts[index % 12] + parts[(index * 5 + 1) % 12] + parts[(index + 3) % 12]
    }
    try await contents.forEachConcurrently(width: 8) { content in
      var memory = CodecMemory()
      _ = try await ingest.ingest(content, memory: &memory)
    }
    let report = try await writer.finish()
    #expect(report.packs == 1)
    // All the same parts, whatever follows which: little more than the parts themselves.
    #expect(report.newBytes < 12 * 90_000 * 4)
    #expect(store.index.all.count == 1)
    var seen: Set<ObjectKey> = []
    try await store.index.all[0].forEachEntry(from: store.backend) { entry in
      if !seen.insert(entry.key).inserted { Issue.record("\(entry.key) was stored twice") }
    }
    #expect(seen.count == report.objects)
    #expect(try await openStore(in: directory).holds(contents))
  }
}

/// Two stores of one directory, as two processes have, write the same and other contents at once.
@Test func twoStoresWriteAtOnce() async throws {
  try await withTemporaryDirectory { directory in
    var random = SeededGenerator(seed: 2)
    let contents = (0..<39).map { _ in [UInt8](randomCount: 60_000, using: &random) }
    let first = try await openStore(in: directory)
    let second = try await openStore(in: directory)
    try await (0..<20).forEachConcurrently(width: 4) { round in
      let store = round % 2 == 0 ? first : second
      try await store.add(Array(contents[round..<(round + 20)]))
    }
    for store in [first, second, try await openStore(in: directory)] { #expect(try await store.holds(contents)) }
  }
}

/// A session that could not write one object does not pretend that it has it.
@Test func failedSessionsStayFailed() async throws {
  try await withTemporaryDirectory { directory in
    let store = try await openStore(in: directory)
    let writer = ObjectWriter(store: store)
    let ingest = ContentIngest(writer: writer)
    var memory = CodecMemory()
    let content = [UInt8](repeating: 7, count: 5_000)
    await #expect(throws: StoreError.self) {
      // The first operation on a file is to create the pack.
      let key = ObjectKey(kind: .chunk, id: ObjectID(hashing: content.span))
      #expect(try await writer.claim(key))
      try FaultPlan(at: 1, .fail(.noSpace)).run { try writer.put(content.span, as: key, memory: &memory) }
    }
    // Another task that relies on the object is not told that it is there, and the end is not a success.
    await #expect(throws: StoreError.self) { try await ingest.ingest(content, memory: &memory) }
    await #expect(throws: StoreError.self) { try await writer.finish() }
    #expect(try await store.backend.keys("").map(\.text) == ["format/1"])
    #expect(try directory.appending("store/tmp").entryCount() == 0)
    // A new session is not hindered.
    try await store.add([content])
    #expect(try await store.holds([content]))
  }
}

/// A session that is forgotten leaves no file under construction.
@Test func forgottenSessionsLeaveNoFiles() async throws {
  try await withTemporaryDirectory { directory in
    let store = try await openStore(in: directory)
    do {
      let writer = ObjectWriter(store: store)
      var memory = CodecMemory()
      let content = [UInt8](repeating: 7, count: 5_000)
      _ = try await ContentIngest(writer: writer).ingest(content, memory: &memory)
      #expect(try directory.appending("store/tmp").entryCount() == 1)
    }
    #expect(try directory.appending("store/tmp").entryCount() == 0)
  }
}

/// A long session indexes its packs on the way, and stores nothing twice all the same.
@Test func longSessionsAreIndexedOnTheWay() async throws {
  try await withTemporaryDirectory { directory in
    let store = try await openStore(in: directory)
    let writer = ObjectWriter(store: store)
    var random = SeededGenerator(seed: 9)
    let base = [UInt8](randomCount: 4 << 20, using: &random)
    var oids: [ObjectID] = []
    for number in 0..<150 {
      var content = base
      content.replace(at: 0, bigEndian: UInt64(number))
      let key = ObjectKey(kind: .chunk, id: ObjectID(hashing: content.span))
      var memory = CodecMemory()
      if try await writer.claim(key) { try writer.put(content.span, as: key, memory: &memory) }
      oids.append(key.id)
    }
    while let seal = writer.state.withLock({ $0.seals.first }) { await seal.task.value }
    // Nine packs are on the disk, and the next claim sees to it that they are in an index.
    for oid in oids { #expect(try await !writer.claim(ObjectKey(kind: .chunk, id: oid))) }
    #expect(try await store.backend.keys("index/").count == 1)
    let report = try await writer.finish()
    #expect(report.objects == 150)
    #expect(report.packs == 10)
    #expect(try await store.backend.keys("index/").count == 2)
    for oid in oids { #expect(try await store.contains(ObjectKey(kind: .chunk, id: oid))) }
  }
}

/// A store that a newer dv writes to with more features can still be read, and is not written to.
@Test func newerStoresAreReadOnly() async throws {
  try await withTemporaryDirectory { directory in
    let backend = MemoryBackend()
    let content: [UInt8] = Array("content".utf8)
    try await openStore(backend, scratch: directory).add([content])
    var format = StoreFormat.current
    format.write.append("filters-1")
    try await backend.put(format.encoded(), at: StoreLayout.format(2))
    let store = try await openStore(backend, scratch: directory)
    #expect(try await store.holds([content]))
    let error = await #expect(throws: StoreError.self) { try await store.add([[1, 2, 3]]) }
    #expect(error?.code == .format)
    #expect(error?.message.contains("filters-1") == true)
    format.read.append("packs-2")
    try await backend.put(format.encoded(), at: StoreLayout.format(3))
    await #expect(throws: StoreError.self) { try await openStore(backend, scratch: directory) }
  }
}

/// The digest of a file is right, whoever hashes its blocks and whenever; and each block is given back once.
@Test(arguments: 0..<20)
func blocksAreHashedInOrderByWhoeverComes(seed: Int) async throws {
  var random = SeededGenerator(seed: UInt64(seed))
  let running = RunningDigest()
  let blocks = (0..<30).map { number in
    let buffer = AlignedBuffer(capacity: 4096)
    // Whole blocks of the digest, but for the last.
    let count = number == 29 ? Int.random(in: 1...4096, using: &random) : 4096 - 64 * Int.random(in: 0...8, using: &random)
    _ = buffer.append([UInt8](randomCount: count, using: &random).span)
    return buffer
  }
  var all = Digest()
  for block in blocks { block.withSpan { all.update($0) } }
  let isOver = Monitor(false)
  let lenders = (0..<2).map { _ in
    Task.detached {
      while !isOver.withLock({ $0 }) {
        var own = StreamDigest()
        let bytes = [UInt8](repeating: 7, count: 3000)
        if running.lend({ stream, block in own.update(bytes.span, and: &stream, block) }) != nil {
          let id = own.finish()
          let expected = ObjectID(hashing: bytes.span)
          #expect(id == expected)
        }
        await Task.yield()
      }
    }
  }
  let tellsLast = seed % 2 == 0
  var given = 0
  for (number, block) in blocks.enumerated() {
    given += running.update(block, isLast: tellsLast && number == blocks.count - 1).count
    if Bool.random(using: &random) { await Task.yield() }
  }
  let id = running.finish()
  isOver.withLock { $0 = true }
  for lender in lenders { await lender.value }
  let expected = all.finish()
  #expect(id == expected)
  #expect(given == (tellsLast ? blocks.count : given) && given >= blocks.count - 2)
}
