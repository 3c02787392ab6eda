import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// Files that are passed on and kept in one pass.
@Suite struct FileStreamTests {
  private static func contents() -> [UInt8] {
    var random = SeededGenerator(seed: 41)
    let part = [UInt8](randomCount: 3_000_000, using: &random)
    // A part that comes twice: its chunks are kept once.
    return part + SampleKind.halves.bytes(9_000_000, using: &random) + part
  }

  @Test func aFileIsPassedOnAndKept() async throws {
    try await withTemporaryDirectory { directory in
      let fixture = try await TransferFixture(in: directory)
      let content = Self.contents()
      let oid = try await fixture.source.add([content])[0]
      var passed: [UInt8] = []
      let report = try await FileStream(from: fixture.source, to: fixture.destination).run(oid, size: UInt64(content.count)) {
        passed.append(span: $0)
      }
      #expect(passed == content)
      #expect(try #require(report).objects > 5)
      // Only the list is left for the transfer.
      let root = TransferRoot(kind: .file, oid: oid, size: UInt64(content.count), label: "f")
      let rest = try await Transfer(.fetch, from: fixture.source, to: fixture.destination).run([root])
      #expect(rest.objects == 1 && rest.failed.isEmpty)
      #expect(try await fixture.destination.holds([content]))
    }
  }

  /// A destination that has a chunk of the file gets the rest by a transfer, which moves only what is new.
  @Test func whatHasPartsIsLeftToTheTransfer() async throws {
    try await withTemporaryDirectory { directory in
      let fixture = try await TransferFixture(in: directory)
      let content = Self.contents()
      let oid = try await fixture.source.add([content])[0]
      try await fixture.destination.add([Array(content[..<4_000_000])])
      let report = try await FileStream(from: fixture.source, to: fixture.destination).run(oid, size: UInt64(content.count)) {
        #expect($0.count == 0)
      }
      #expect(report == nil)
    }
  }

  /// Nothing counts of a file of which a chunk is damaged, and the chunk is named.
  @Test func damageIsNamedAndNothingIsKept() async throws {
    try await withTemporaryDirectory { directory in
      let fixture = try await TransferFixture(in: directory)
      let content = Self.contents()
      let oid = try await fixture.source.add([content])[0]
      for key in try await fixture.sourceBackend.keys("packs/") {
        var bytes = try #require(try await fixture.sourceBackend.get(key))
        if bytes.count > 1_000_000 { bytes[bytes.count / 2] ^= 1 }
        try await fixture.sourceBackend.delete(key)
        try await fixture.sourceBackend.put(bytes, at: key)
      }
      let stream = FileStream(from: fixture.source, to: fixture.destination)
      let error = await #expect(throws: StoreError.self) {
        try await stream.run(oid, size: UInt64(content.count)) { _ in }
      }
      #expect(error?.code == .corrupt)
      #expect(try await !fixture.destination.containsFile(oid))
    }
  }

  /// A list that claims another size than the pointer is refused before anything is passed on.
  @Test func aListOfAnotherSizeIsRefused() async throws {
    try await withTemporaryDirectory { directory in
      let fixture = try await TransferFixture(in: directory)
      let content = Self.contents()
      let oid = try await fixture.source.add([content])[0]
      let stream = FileStream(from: fixture.source, to: fixture.destination)
      await #expect(throws: StoreError.self) {
        try await stream.run(oid, size: UInt64(content.count + 1)) { _ in Issue.record("passed on") }
      }
    }
  }

  @Test func largeFilesAreFoundByPath() async throws {
    try await withTemporaryDirectory { directory in
      let fixture = try await TransferFixture(in: directory)
      let root = try await TransferFixture.add(TransferFixture.directories(3, seed: 5), to: fixture.source)
      let all = try await fixture.source.largeFiles(under: root, minimum: 100_000, readingFrom: fixture.destination)
      #expect(Set(all.map { $0.names.map { String(decoding: $0, as: UTF8.self) } }) == [["d0", "large"], ["d1", "large"], ["d2", "large"]])
      let part = TransferRoot(
        kind: .tree, oid: root.oid, size: root.size, label: "", inside: [try TreeName(Array("d1".utf8))])
      let inside = try await fixture.source.largeFiles(under: part, minimum: 100_000, readingFrom: fixture.destination)
      #expect(inside.count == 1)
      #expect(try await fixture.source.largeFiles(under: root, minimum: 300_000, readingFrom: fixture.destination).isEmpty)
    }
  }
}
