import DVBackend
import DVTesting
import Testing

@Suite struct BackendListingTests {
  @Test func listingsSayWhatIsThere() async throws {
    let backend = MemoryBackend()
    for text in ["format/1", "index/0-aa", "index/1-bb", "packs/aa/x", "roots/r", "gc/condemned/c"] {
      try await backend.put(Array(text.utf8), at: BackendKey(text))
    }
    try await BackendListing.publish(on: backend)
    for prefix in ["format/", "index/", "index/1", "roots/", "gc/condemned/", "retired/", "packs/", "packs/aa/", "pending/"] {
      let part = try #require(BackendListing.Part(covering: prefix))
      let bytes = try #require(try await backend.get(part.key))
      let listing = try #require(BackendListing(decoding: bytes))
      let listed = try await backend.list(prefix)
      #expect(listing.entries(prefix)?.map(\.key) == listed.map(\.key))
      #expect(listing.entries(prefix)?.map(\.size) == listed.map(\.size))
    }
    #expect(BackendListing.Part(covering: "objects/") == nil)
    #expect(BackendListing.Part(covering: "") == nil)
  }

  /// Of a damaged listing nothing is believed.
  @Test func damageIsNoticed() async throws {
    let backend = MemoryBackend()
    try await backend.put([1], at: BackendKey("format/1"))
    try await BackendListing.publish(on: backend)
    let bytes = try #require(try await backend.get(BackendListing.Part.structure.key))
    #expect(BackendListing(decoding: bytes) != nil)
    for index in bytes.indices {
      var other = bytes
      other[index] ^= 1
      #expect(BackendListing(decoding: other) == nil)
      #expect(BackendListing(decoding: Array(bytes[..<index])) == nil)
    }
  }
}
