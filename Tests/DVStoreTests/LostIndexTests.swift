import DVBackend
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// A part of the index that is gone makes what it named look like garbage. No collection may take it for that.
@Suite struct LostIndexTests {
  /// Several sessions, so that each has a segment and a pack of its own: a large file, a directory, garbage.
  private struct Prepared {
    let file: [UInt8]
    let directories: [String: [String: [UInt8]]]
    let roots: [TransferRoot]
  }

  private func prepare(_ backend: MemoryBackend, _ scratch: FilePath) async throws -> Prepared {
    var random = SeededGenerator(seed: 3)
    let file = [UInt8](randomCount: 3_000_000, using: &random)
    let root = TransferRoot(kind: .file, oid: ObjectID(hashing: file.span), size: UInt64(file.count), label: "f")
    try await openStore(backend, scratch: scratch).add([file])
    try await openStore(backend, scratch: scratch).add([[UInt8](randomCount: 9_000, using: &random)])
    let directories = TransferFixture.directories(1, seed: 1)
    let tree = try await TransferFixture.add(directories, to: openStore(backend, scratch: scratch))
    return Prepared(file: file, directories: directories, roots: [root, tree])
  }

  private func isWhole(_ prepared: Prepared, _ backend: MemoryBackend, _ scratch: FilePath) async throws -> Bool {
    let store = try await openStore(backend, scratch: scratch)
    guard try await store.content(of: prepared.roots[0].oid, size: prepared.file.count) == prepared.file else { return false }
    return try await store.isWhole(prepared.roots[1], prepared.directories)
  }

  @Test(arguments: [true, false])
  func localCollectionsIndexWhatIsNeeded(isNow: Bool) async throws {
    try await withTemporaryDirectory { directory in
      let first = MemoryBackend()
      let prepared = try await prepare(first, directory)
      let segments = try await first.keys("index/")
      #expect(segments.count > 2)
      for lost in segments.map({ [$0] }) + [segments] {
        let backend = MemoryBackend()
        for (key, bytes) in try await first.content() where !lost.contains(key) { try await backend.put(bytes, at: key) }
        // Twice, so that what was condemned goes.
        for _ in 0..<2 {
          let store = try await openStore(backend, scratch: directory)
          _ = try await LocalCollection(store: store, mode: isNow ? .now : .graceful(seconds: 0)).run(keeping: prepared.roots)
        }
        #expect(try await isWhole(prepared, backend, directory), "\(lost)")
        // The garbage went.
        #expect(try await backend.keys("packs/").count < first.keys("packs/").count)
      }
    }
  }

  /// What was erased is not brought back, and lacks to nobody who knows.
  @Test func whatWasErasedIsNotIndexedAgain() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      let prepared = try await prepare(backend, directory)
      let store = try await openStore(backend, scratch: directory)
      let location = try #require(try await store.locations(of: ObjectKey(kind: .chunkList, id: prepared.roots[0].oid)).first)
      // As an erasure leaves it that is killed before it deletes.
      try await store.dropFromIndex([location.container.id])
      let other = try await openStore(backend, scratch: directory)
      other.regardAsErased([prepared.roots[0].oid])
      _ = try await LocalCollection(store: other, mode: .now).run(keeping: prepared.roots)
      #expect(try await backend.get(StoreLayout.container(location.container)) == nil)
      #expect(try await openStore(backend, scratch: directory).isWhole(prepared.roots[1], prepared.directories))
    }
  }

  @Test func remoteCollectionsRefuse() async throws {
    try await withTemporaryDirectory { directory in
      let local = MemoryBackend()
      let prepared = try await prepare(local, directory)
      let remote = MemoryBackend()
      // Each with a segment of its own.
      for root in prepared.roots {
        _ = try await RemotePush(from: openStore(local, scratch: directory), to: openStore(remote, scratch: directory)).run([root])
      }
      let whole = try await remote.content()
      let segments = try await remote.keys("index/")
      #expect(segments.count > 1)
      for lost in segments {
        let backend = MemoryBackend()
        for (key, bytes) in whole where key != lost { try await backend.put(bytes, at: key) }
        let before = try await backend.keys("")
        for helper in [nil, local] {
          var store: ObjectStore?
          if let helper { store = try await openStore(helper, scratch: directory) }
          let error = await #expect(throws: StoreError.self) {
            _ = try await RemoteCollection(
              of: openStore(backend, scratch: directory), readingFrom: store, grace: 0, localTime: nil).run()
          }
          #expect(error?.code == .corrupt)
        }
        #expect(try await backend.keys("") == before)
      }
      // Complete, it is collected; and so it is without a file of which a record says that it was erased.
      _ = try await RemoteCollection(of: openStore(remote, scratch: directory), grace: 0, localTime: nil).run()
      #expect(try await isWhole(prepared, remote, directory))
      let target = try await openStore(remote, scratch: directory)
      let location = try #require(try await target.locations(of: ObjectKey(kind: .chunkList, id: prepared.roots[0].oid)).first)
      try await target.dropFromIndex([location.container.id])
      await #expect(throws: StoreError.self) {
        _ = try await RemoteCollection(of: openStore(remote, scratch: directory), grace: 0, localTime: nil).run()
      }
      let knowing = try await openStore(remote, scratch: directory)
      knowing.regardAsErased([prepared.roots[0].oid])
      _ = try await RemoteCollection(of: knowing, readingFrom: openStore(local, scratch: directory), grace: 0, localTime: nil).run()
      #expect(try await openStore(remote, scratch: directory).isWhole(prepared.roots[1], prepared.directories))
    }
  }
}
