import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

@Suite struct LocalCollectionTests {
  private func root(_ content: [UInt8]) -> TransferRoot {
    TransferRoot(kind: .file, oid: ObjectID(hashing: content.span), size: UInt64(content.count), label: "f")
  }

  private func collect(
    _ backend: any Backend, _ mode: LocalCollection.Mode, keeping roots: [TransferRoot], in directory: FilePath
  ) async throws -> CollectionReport {
    try await LocalCollection(store: openStore(backend, scratch: directory), mode: mode).run(keeping: roots)
  }

  /// What is needed stays, everything else goes, and what shared a pack with it is copied out.
  @Test(arguments: 0..<8)
  func onlyWhatIsNeededStays(seed: UInt64) async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      var random = SeededGenerator(seed: seed)
      var contents: [[UInt8]] = []
      for _ in 0..<6 {
        let more = (0..<8).map { _ in [UInt8](randomCount: [50, 5_000, 300_000].randomElement(using: &random) ?? 1, using: &random) }
        try await openStore(backend, scratch: directory).add(more)
        contents += more
      }
      let kept = contents.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
      let before = try await backend.list("packs/").reduce(0) { $0 + $1.size }
      let report = try await collect(backend, .now, keeping: kept.map(root), in: directory)
      let after = try await backend.list("packs/").reduce(0) { $0 + $1.size }
      let store = try await openStore(backend, scratch: directory)
      #expect(try await store.holds(kept))
      #expect(after <= before)
      let needed = UInt64(kept.reduce(0) { $0 + $1.count })
      #expect(after < 2 * needed + needed / 2 + 100_000, "\(report)")
      #expect(try await PackSurvey(of: store).findings.isEmpty)
      // Nothing is left to do, and nothing more is done.
      let again = try await collect(backend, .now, keeping: kept.map(root), in: directory)
      #expect(again.deletedPacks == 0 && again.repackedBytes == 0)
      #expect(try await openStore(backend, scratch: directory).holds(kept))
      // With nothing needed, nothing stays.
      _ = try await collect(backend, .now, keeping: [], in: directory)
      #expect(try await backend.keys("packs/").isEmpty)
      #expect(try await openStore(backend, scratch: directory).index.all.allSatisfy { $0.head.entryCount == 0 })
    }
  }

  /// The first collection condemns and copies, the second deletes; what was mostly garbage is not copied again and again.
  @Test func whatIsCondemnedGoesNextTime() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      var random = SeededGenerator(seed: 1)
      let contents = (0..<10).map { _ in [UInt8](randomCount: 10_000, using: &random) }
      try await openStore(backend, scratch: directory).add(contents)
      let mode = LocalCollection.Mode.graceful(seconds: 0)
      let first = try await collect(backend, mode, keeping: [root(contents[0])], in: directory)
      #expect(first.condemnedPacks == 1 && first.deletedPacks == 0 && first.repackedBytes > 0)
      #expect(try await backend.keys("packs/").count == 2)
      let second = try await collect(backend, mode, keeping: [root(contents[0])], in: directory)
      #expect(second.deletedPacks == 1 && second.condemnedPacks == 0 && second.repackedBytes == 0)
      #expect(try await backend.keys("packs/").count == 1)
      #expect(try await backend.keys("gc/").isEmpty)
      let third = try await collect(backend, mode, keeping: [root(contents[0])], in: directory)
      #expect(third.deletedPacks == 0 && third.condemnedPacks == 0 && third.repackedBytes == 0)
      #expect(try await openStore(backend, scratch: directory).holds([contents[0]]))
    }
  }

  /// What is younger than the grace may belong to somebody who is still adding.
  @Test func youngPacksStay() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      try await openStore(backend, scratch: directory).add([[1, 2, 3]])
      let report = try await collect(backend, .graceful(seconds: 3600), keeping: [], in: directory)
      #expect(report.condemnedPacks == 0 && report.deletedPacks == 0)
    }
  }

  /// Whoever writes stores again what lies in a condemned pack, so the pack can go.
  @Test func condemnedPacksAreNotReliedOn() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      let content: [UInt8] = Array("something".utf8)
      try await openStore(backend, scratch: directory).add([content])
      let mode = LocalCollection.Mode.graceful(seconds: 0)
      _ = try await collect(backend, mode, keeping: [], in: directory)
      let store = try await openStore(backend, scratch: directory)
      try await store.avoidCondemned()
      try await store.add([content])
      #expect(try await backend.keys("packs/").count == 2)
      _ = try await collect(backend, mode, keeping: [root(content)], in: directory)
      #expect(try await backend.keys("packs/").count == 1)
      #expect(try await openStore(backend, scratch: directory).holds([content]))
    }
  }

  /// A pack whose needed objects have no other whole copy is not deleted, whatever the index says of copies.
  @Test func theLastWholeCopyStays() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      var random = SeededGenerator(seed: 2)
      let contents = (0..<10).map { _ in [UInt8](randomCount: 10_000, using: &random) }
      try await openStore(backend, scratch: directory).add(contents)
      let original = try await backend.keys("packs/")
      let mode = LocalCollection.Mode.graceful(seconds: 0)
      _ = try await collect(backend, mode, keeping: [root(contents[0])], in: directory)
      // The copy goes bad.
      for pack in try await backend.keys("packs/") where !original.contains(pack) {
        var bytes = try #require(try await backend.get(pack))
        bytes[200] ^= 1
        try await backend.delete(pack)
        try await backend.put(bytes, at: pack)
      }
      let report = try await collect(backend, mode, keeping: [root(contents[0])], in: directory)
      #expect(report.deletedPacks == 0)
      let kept = root(contents[0]).oid
      #expect(try await openStore(backend, scratch: directory).content(of: kept, size: 10_000) == contents[0])
    }
  }

  /// While a node is damaged nobody knows what lies below it: nothing is removed.
  @Test func nothingGoesBelowADamagedNode() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      let store = try await openStore(backend, scratch: directory)
      let tree = try await TransferFixture.add(TransferFixture.directories(1, seed: 1), to: store)
      try await store.add([[1, 2, 3, 4]])
      let location = try #require(try await store.locations(of: ObjectKey(kind: .treeNode, id: tree.oid)).first)
      let pack = StoreLayout.container(location.container)
      var bytes = try #require(try await backend.get(pack))
      bytes[Int(location.offset)] ^= 1
      try await backend.delete(pack)
      try await backend.put(bytes, at: pack)
      let before = try await backend.keys("")
      let report = try await collect(backend, .now, keeping: [tree], in: directory)
      #expect(report.damaged == ["data"])
      #expect(try await backend.keys("") == before)
    }
  }
}
