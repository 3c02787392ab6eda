import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// A remote far away: what is asked of it counts, and a small part of a large dataset takes few requests.
@Suite struct HintedFetchTests {
  /// Pushes a dataset to a backend far away and returns what names it.
  private func push(
    _ directories: [String: [String: [UInt8]]], to backend: any Backend, _ directory: FilePath
  ) async throws -> TransferRoot {
    let local = try await openStore(MemoryBackend(), scratch: directory)
    let root = try await TransferFixture.add(directories, to: local)
    let report = try await RemotePush(from: local, to: openStore(backend, scratch: directory)).run([root])
    #expect(report.transfer.failed.map(\.message) == [])
    #expect(report.committed == [root])
    return root
  }

  /// A root with one part of it wanted.
  private func part(_ path: [String], of root: TransferRoot) throws -> TransferRoot {
    TransferRoot(
      kind: .tree, oid: root.oid, size: root.size, label: root.label, inside: try path.map { try TreeName(Array($0.utf8)) })
  }

  private func openUnread(_ backend: any Backend, _ directory: FilePath) async throws -> ObjectStore {
    try await ObjectStore(
      backend: backend, name: "the remote", scratch: directory, presence: .mustExist, index: .whenNeeded)
  }

  /// Many directories of many small files, so that nodes have levels.
  private func large() -> [String: [String: [UInt8]]] {
    var directories: [String: [String: [UInt8]]] = [:]
    for number in 0..<1500 { directories["d\(number)"] = ["f": Array("only \(number)".utf8)] }
    directories["many"] = Dictionary(uniqueKeysWithValues: (0..<3000).map { ("f\($0)", Array("file \($0)".utf8)) })
    var random = SeededGenerator(seed: 9)
    directories["many"]?["weights"] = [UInt8](randomCount: 500_000, using: &random)
    return directories
  }

  /// One small file, one with a chunk list and one directory are each fetched without the index and bit for bit.
  @Test func aPartIsFetchedWithoutTheIndex() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend(answersAtOnce: false)
      let directories = large()
      let root = try await push(directories, to: backend, directory)
      for path in [["many", "f1234"], ["many", "weights"], ["d77"]] {
        let counting = CountingBackend(backend)
        let remote = try await openUnread(counting, directory)
        let wanted = try part(path, of: root)
        #expect(await remote.prepareFetch(of: [wanted]))
        let local = try await openStore(MemoryBackend(), scratch: directory)
        let report = try await Transfer(.fetch, from: remote, to: local).run([wanted])
        #expect(report.failed.isEmpty)
        #expect(counting.requests < 10, "\(path): \(counting.counts)")
        #expect(counting.counts[.list]?.requests == 1, "only the format is listed")
        let content = try #require(directories[path[0]]?[path.count > 1 ? path[1] : "f"])
        #expect(try await local.holds([content]))
        var completeness = Completeness(of: local)
        #expect(try await completeness.has(wanted))
      }
    }
  }

  /// Whatever happens to locators, place lists and packs, the index finds the rest, or the damage is named.
  @Test func hintsAreNeverBelieved() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend(answersAtOnce: false)
      let directories = TransferFixture.directories(3, seed: 4)
      let root = try await push(directories, to: backend, directory)
      let key = StoreLayout.locator(.tree, root.oid)
      let locator = try #require(try await backend.get(key))
      let wanted = try part(["d1"], of: root)
      for index in stride(from: 0, to: locator.count, by: 3) {
        var bytes = locator
        bytes[index] ^= 0x11
        try await backend.put(bytes, at: key)
        let remote = try await openUnread(backend, directory)
        #expect(await !remote.prepareFetch(of: [wanted]))
        let local = try await openStore(MemoryBackend(), scratch: directory)
        #expect(try await Transfer(.fetch, from: remote, to: local).run([wanted]).failed.isEmpty)
        #expect(try await local.holds(Array(try #require(directories["d1"]).values)))
      }
      // A locator that is right about another dataset.
      let other = try await push(TransferFixture.directories(2, seed: 5), to: backend, directory)
      try await backend.put(try #require(try await backend.get(StoreLayout.locator(.tree, other.oid))), at: key)
      #expect(await !(try openUnread(backend, directory)).prepareFetch(of: [wanted]))
      // Packs that were merged away since: the hints lead nowhere.
      try await backend.put(locator, at: key)
      for pack in try await backend.keys("packs/") {
        let bytes = try #require(try await backend.get(pack))
        guard let place = try? Locator(decoding: locator.span), pack == StoreLayout.container(place.container) else { continue }
        try await backend.delete(pack)
        let remote = try await openUnread(backend, directory)
        #expect(await !remote.prepareFetch(of: [wanted]))
        let local = try await openStore(MemoryBackend(), scratch: directory)
        let report = try await Transfer(.fetch, from: remote, to: local).run([wanted])
        #expect(!report.failed.isEmpty && report.incompleteRoots == [0])
        try await backend.put(bytes, at: pack)
      }
    }
  }

  /// A new version is pushed with the places of what the remote had before.
  @Test func aNewVersionNamesOldPlaces() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend(answersAtOnce: false)
      let local = try await openStore(MemoryBackend(), scratch: directory)
      var directories = large()
      let first = try await TransferFixture.add(directories, to: local)
      #expect(try await RemotePush(from: local, to: openStore(backend, scratch: directory)).run([first]).committed == [first])
      directories["many"]?["f7"] = Array("edited".utf8)
      let second = try await TransferFixture.add(directories, to: local)
      let report = try await RemotePush(from: local, to: openStore(backend, scratch: directory)).run(
        [second], bases: [second.oid: first.oid])
      #expect(report.committed == [second] && report.transfer.objects < 10)
      for (path, content) in [(["many", "f7"], "edited"), (["many", "f8"], "file 8"), (["d3", "f"], "only 3")] {
        let counting = CountingBackend(backend)
        let remote = try await openUnread(counting, directory)
        let wanted = try part(path, of: second)
        #expect(await remote.prepareFetch(of: [wanted]))
        let other = try await openStore(MemoryBackend(), scratch: directory)
        #expect(try await Transfer(.fetch, from: remote, to: other).run([wanted]).failed.isEmpty)
        #expect(try await other.holds([Array(content.utf8)]) && counting.requests < 10)
      }
    }
  }
}

/// Place lists and locators have one encoding each, and nothing else is read.
@Suite struct PlaceListTests {
  private let list = PlaceList(
    of: .treeNode, containers: [IndexContainer(kind: .pack, id: ObjectID(hashing: Array("pack".utf8).span), size: 5000)],
    places: [
      nil,
      ObjectPlace(kind: .chunk, codec: .zstd, container: 0, offset: 120, storedLength: 40, length: 99, listed: nil),
      ObjectPlace(
        kind: .treeNode, codec: .raw, container: nil, offset: 64, storedLength: 32, length: 32,
        listed: ObjectPlace.Listed(codec: .zstd, storedLength: 70, length: 80)),
    ])

  @Test func encodingsComeBack() throws {
    let bytes = list.encoded()
    #expect(try PlaceList(decoding: bytes.span) == list)
    let locator = Locator(id: list.containers[0].id, container: list.containers[0], place: try #require(list.places[2]))
    let text = locator.encoded()
    #expect(text.count == Locator.byteCount)
    #expect(try Locator(decoding: text.span) == locator)
  }

  /// The vectors of docs/format/place-list.md and locator.md.
  @Test func encodingsAreThoseOfTheDocuments() throws {
    let bytes = list.encoded()
    let listHash = ObjectID(hashing: bytes.span).description
    #expect(bytes.count == 176)
    #expect(listHash.hasSuffix("62d358f55c29ce7c8a76237e2c886cabbb84f3d23d0a88cef9bcd3e0c4fa9437"))
    let locator = Locator(id: list.containers[0].id, container: list.containers[0], place: try #require(list.places[2]))
    let text = locator.encoded()
    let locatorHash = ObjectID(hashing: text.span).description
    #expect(locatorHash.hasSuffix("f9da0f4ea3aabe2f3adc3b00f8bc83411529e8c0908854978f8d1767e62f565f"))
  }

  /// No single changed bit and no other length is read as something.
  @Test func everyOtherEncodingIsRefused() throws {
    for good in [list.encoded(), Locator(id: list.containers[0].id, container: list.containers[0], place: try #require(list.places[2])).encoded()] {
      for index in good.indices {
        var bytes = good
        bytes[index] ^= 1 << UInt8(index % 8)
        #expect((try? PlaceList(decoding: bytes.span)) == nil && (try? Locator(decoding: bytes.span)) == nil)
        bytes = Array(good[..<index])
        #expect((try? PlaceList(decoding: bytes.span)) == nil && (try? Locator(decoding: bytes.span)) == nil)
      }
    }
  }
}
