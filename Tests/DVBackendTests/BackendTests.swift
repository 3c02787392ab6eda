import DVBackend
import DVFile
import DVObject
import DVTesting
import SystemPackage
import Testing

@Test func memoryConforms() async throws {
  try await expectBackendConformance { MemoryBackend() }
}

@Test func countingConforms() async throws {
  try await expectBackendConformance { CountingBackend(MemoryBackend()) }
}

@Test func directoryConforms() async throws {
  try await withTemporaryDirectory { directory in
    var number = 0
    try await expectBackendConformance {
      number += 1
      // What waits for the disk is tested below, with fewer than 10,000 keys.
      return try DirectoryBackend(root: directory.appending("\(number)"), create: true, durable: false)
    }
  }
}

@Test func durableDirectoryKeepsWhatItIsGiven() async throws {
  try await withTemporaryDirectory { directory in
    let backend = try DirectoryBackend(root: directory.appending("a/b"), create: true)
    let key = try BackendKey("packs/aa/value")
    try await backend.put([1, 2, 3], at: key)
    try await backend.put([1, 2, 3], at: key)
    #expect(try await DirectoryBackend(root: directory.appending("a/b")).get(key) == [1, 2, 3])
    #expect(try directory.appending("a/b/tmp").listDirectory().isEmpty)
  }
}

@Test(arguments: [
  "", "/", "a/", "/a", "a//b", "..", "a/../b", ".", "a/.hidden", "A", "a b", "ä", "a\0", "tmp", "tmp/x", "a\\b",
  String(repeating: "a", count: 256), String(repeating: "a/", count: 256) + "a",
])
func badKeysAreRefused(text: String) {
  #expect(throws: BackendError.self) { try BackendKey(text) }
}

@Test func keysOrderByTheirBytes() throws {
  #expect(try BackendKey("a-b") < BackendKey("a/b"))
  #expect(try !BackendKey("packs/a").isReplaceable)
  #expect(try BackendKey("files/a").isReplaceable)
}

@Test func countsTellRequestsAndBytes() async throws {
  let backend = CountingBackend(MemoryBackend())
  let key = try BackendKey("packs/a")
  try await backend.put([1, 2, 3], at: key)
  _ = try await backend.get(key, range: 0..<2)
  _ = try await backend.get(BackendKey("absent"))
  #expect(backend.counts[.put]?.bytes == 3)
  #expect(backend.counts[.get]?.requests == 2)
  #expect(backend.counts[.get]?.bytes == 2)
  backend.reset()
  #expect(backend.requests == 0)
}

@Test func readOnlyRefusesWrites() async throws {
  let base = MemoryBackend()
  let key = try BackendKey("packs/a")
  try await base.put([1], at: key)
  let backend = ReadOnlyBackend(base)
  #expect(try await backend.get(key) == [1])
  await expectBackendError(.denied) { try await backend.put([2], at: key) }
  await expectBackendError(.denied) { try await backend.delete(key) }
  #expect(try await backend.list("").count == 1)
}
