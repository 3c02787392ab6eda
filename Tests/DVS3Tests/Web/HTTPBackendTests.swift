import DVBackend
import DVTesting
import Testing

@testable import DVS3

/// Reading from a web server, one that knows ranges and one that does not.
@Suite struct HTTPBackendTests {
  /// Serves what `store` holds, as a web server does a directory.
  private func backend(over store: MemoryBackend, knowsRanges: Bool) async throws -> HTTPBackend {
    var values: [String: [UInt8]] = [:]
    for entry in try await store.list("") { values["/data/\(entry.key)"] = try await store.get(entry.key) }
    let served = values
    return HTTPBackend(
      try HTTPEndpoint("https://web.test/data"),
      exchange: { (request) async throws(TransportError) in
        let path = String(request.url.dropFirst("https://web.test".count))
        guard let bytes = served[path] else { return HTTPReply(404) }
        let headers = [("content-length", "\(bytes.count)"), ("date", "Tue, 14 Nov 2023 22:13:20 GMT")]
        if request.method == "HEAD" { return HTTPReply(200, headers) }
        guard knowsRanges, let range = request.header("range") else {
          return HTTPReply(status: 200, headers: headers, body: bytes)
        }
        let ends = range.dropFirst(6).split(separator: "-").compactMap { Int($0) }
        guard ends[0] < bytes.count else { return HTTPReply(416, [("content-range", "bytes */\(bytes.count)")]) }
        let last = min(ends[1], bytes.count - 1)
        return HTTPReply(
          status: 206, headers: [("content-range", "bytes \(ends[0])-\(last)/\(bytes.count)")],
          body: Array(bytes[ends[0]...last]))
      })
  }

  private func store() async throws -> MemoryBackend {
    let store = MemoryBackend()
    for text in ["format/1", "index/0-a", "packs/aa/x", "roots/r"] {
      try await store.put((0..<10_000).map { UInt8(truncatingIfNeeded: $0 / 7) }, at: BackendKey(text))
    }
    try await BackendListing.publish(on: store)
    return store
  }

  @Test(arguments: [true, false])
  func valuesAndRangesAreRead(knowsRanges: Bool) async throws {
    let store = try await store()
    let backend = try await backend(over: store, knowsRanges: knowsRanges)
    let key = try BackendKey("packs/aa/x")
    let absent = try BackendKey("packs/aa/absent")
    #expect(try await backend.get(key) == store.get(key))
    #expect(try await backend.size(of: key) == 10_000)
    #expect(try await backend.get(absent) == nil)
    #expect(try await backend.get(absent, range: 0..<1) == nil)
    #expect(try await backend.size(of: absent) == nil)
    for range: Range<UInt64> in [0..<10_000, 0..<0, 0..<1, 9_999..<10_000, 123..<7_777] {
      #expect(try await backend.get(key, range: range) == store.get(key, range: range))
    }
    for range: Range<UInt64> in [0..<10_001, 9_999..<10_001, 10_001..<10_002] {
      await expectBackendError(.corrupt) { _ = try await backend.get(key, range: range) }
    }
    #expect(try await backend.clock() == 1_700_000_000)
  }

  @Test func listingsAreThoseOfTheLastPush() async throws {
    let store = try await store()
    let backend = try await backend(over: store, knowsRanges: true)
    for prefix in ["format/", "index/", "roots/", "packs/", "gc/condemned/", "pending/"] {
      #expect(try await backend.list(prefix).map(\.key) == store.list(prefix).map(\.key))
    }
    await expectBackendError(.invalid) { _ = try await backend.list("objects/") }
  }

  @Test func withoutAListingThereIsAnErrorAndNoEmptyList() async throws {
    let store = MemoryBackend()
    try await store.put([1], at: BackendKey("format/1"))
    let backend = try await backend(over: store, knowsRanges: true)
    await expectBackendError(.notFound) { _ = try await backend.list("format/") }
  }

  @Test func nothingIsWritten() async throws {
    let backend = try await backend(over: MemoryBackend(), knowsRanges: true)
    let key = try BackendKey("roots/a")
    await expectBackendError(.denied) { try await backend.put([1], at: key) }
    await expectBackendError(.denied) { try await backend.delete(key) }
    await expectBackendError(.denied) { try await backend.delete([key]) }
  }

  /// Another host is not asked because one says so.
  @Test func redirectsAreNotFollowed() async throws {
    let server = ScriptedServer(HTTPReply(302, [("location", "https://elsewhere.test/")]))
    let backend = HTTPBackend(try HTTPEndpoint("https://web.test"), exchange: server.exchange, clock: server.clock)
    let key = try BackendKey("roots/a")
    await expectBackendError(.unreachable) { _ = try await backend.get(key) }
    #expect(server.requests.count == 1)
  }

  @Test func failuresThatPassAreTriedAgain() async throws {
    let server = ScriptedServer(HTTPReply(503), HTTPReply(200, [], "abc"))
    let backend = HTTPBackend(try HTTPEndpoint("https://web.test"), exchange: server.exchange, clock: server.clock)
    #expect(try await backend.get(BackendKey("roots/a")) == Array("abc".utf8))
  }
}
