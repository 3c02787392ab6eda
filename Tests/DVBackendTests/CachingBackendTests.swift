import DVBackend
import DVFile
import DVObject
import DVTesting
import SystemPackage
import Testing

/// Copies save requests and are never believed.
@Suite struct CachingBackendTests {
  private func key(_ bytes: [UInt8], _ prefix: String = "index/0-") throws -> BackendKey {
    try BackendKey(prefix + ObjectID(hashing: bytes.span).hex)
  }

  @Test func whatWasReadWholeIsNotAskedForAgain() async throws {
    try await withTemporaryDirectory { directory in
      let base = CountingBackend(MemoryBackend(answersAtOnce: false))
      let bytes = Array("a segment".utf8)
      let key = try key(bytes)
      try await base.put(bytes, at: key)
      for round in 0..<3 {
        let backend = try CachingBackend(base, copiesIn: directory.appending("copies"))
        #expect(try await backend.get(key) == bytes)
        #expect(try await backend.get(key, range: 2..<5) == Array(bytes[2..<5]))
        #expect(base.counts[.get]?.requests == 1, "round \(round)")
      }
    }
  }

  @Test func whatIsReadInManyRangesIsFetchedWhole() async throws {
    try await withTemporaryDirectory { directory in
      let base = CountingBackend(MemoryBackend(answersAtOnce: false))
      var random = SeededGenerator(seed: 3)
      let bytes = [UInt8](randomCount: 1 << 20, using: &random)
      let key = try key(bytes)
      try await base.put(bytes, at: key)
      let backend = try CachingBackend(base, copiesIn: directory.appending("copies"))
      #expect(try await backend.list("index/").map(\.key) == [key])
      for number in 0..<100 {
        let range = UInt64(number * 4096)..<UInt64(number * 4096 + 4096)
        #expect(try await backend.get(key, range: range) == Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
      }
      #expect(base.counts[.get]?.requests == 4 && base.counts[.fetch]?.requests == 1)
    }
  }

  /// A copy that a stopped machine left with other bytes is removed, not read.
  @Test func aDamagedCopyIsNotBelieved() async throws {
    try await withTemporaryDirectory { directory in
      let base = CountingBackend(MemoryBackend(answersAtOnce: false))
      let bytes = Array("a root record".utf8)
      let key = try key(bytes, "roots/00000000000000000000000000-")
      try await base.put(bytes, at: key)
      let place = directory.appending("copies")
      #expect(try await CachingBackend(base, copiesIn: place).get(key) == bytes)
      let copy = place.appending("roots").appending(String(key.text.dropFirst(6)))
      let other = Array("another text!".utf8)
      #expect(try copy.readAll(limit: 100) == bytes)
      try copy.replaceContent(with: other.span)
      #expect(try await CachingBackend(base, copiesIn: place).get(key) == bytes)
      let nothing: [UInt8] = []
      try copy.replaceContent(with: nothing.span)
      #expect(try await CachingBackend(base, copiesIn: place).get(key, range: 0..<4) == Array(bytes[0..<4]))
    }
  }

  /// What a listing does not show any more has no copy; what was deleted neither.
  @Test func copiesGoWithTheirOriginals() async throws {
    try await withTemporaryDirectory { directory in
      let base = MemoryBackend(answersAtOnce: false)
      let backend = try CachingBackend(base, copiesIn: directory.appending("copies"))
      let values = ["one", "two", "three"].map { Array($0.utf8) }
      for value in values { try await backend.put(value, at: try key(value)) }
      try await base.delete(try key(values[0]))
      #expect(try await backend.get(try key(values[0])) == values[0])
      #expect(try await backend.list("index/").count == 2)
      #expect(try await backend.get(try key(values[0])) == nil)
      try await backend.delete([try key(values[1])])
      #expect(try await backend.get(try key(values[1])) == nil)
      #expect(try await backend.get(try key(values[2])) == values[2])
    }
  }
}
