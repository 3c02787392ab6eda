import DVBackend
import DVFile
import DVLineage
import DVObject
import SystemPackage
import Testing

@testable import DVRepository

/// The bytes of a bundle: `docs/format/run-bundle.md`.
struct RunBundleTests {
  @Test func theVectorIsWritten() async throws {
    let folder = FilePath("/tmp/dv-bundle-\(UInt64.random(in: .min ... .max))")
    try folder.createDirectories()
    defer { try? folder.removeTree() }
    let store = MemoryBackend()
    let format = "dv-format 1\nread packs-1 index-1\nwrite packs-1 index-1 roots-1\ngc packs-1 index-1 roots-1\n"
    try await store.put(Array(format.utf8), at: BackendKey("format/1"))
    try await store.put([1], at: BackendKey("roots/left-out"))
    var json = JSONObject()
    json["type"] = "note"
    json["version"] = 1
    let record = try Record(json)
    let file = folder.appending("run.dvb")
    let size = try await RunBundle.write(record, of: store, to: file)
    let bytes = try file.readAll(limit: 1 << 20)
    #expect(UInt64(bytes.count) == size && size == 4096)
    #expect(ObjectID(hashing: bytes.span).hex == "23fcc4573e418021cc0838b57cdc2ede2409bbe5197c87035821b77d795ec30b")
    #expect(try await RunBundle(file).record == record)
    // One that is there is not replaced.
    do {
      _ = try await RunBundle.write(record, of: store, to: file)
      Issue.record("A file was replaced.")
    } catch {}
    #expect(try folder.listDirectory().count == 1)
  }
}
