import DVFile
import DVObject
import SystemPackage
import Testing

@testable import DVBackend

/// A tar archive as a backend: what it holds is read, and nothing but what dv writes is taken.
struct ArchiveBackendTests {
  private final class Folder {
    let path: FilePath
    init() throws {
      path = FilePath("/tmp/dv-archive-\(UInt64.random(in: .min ... .max))")
      try path.createDirectories()
    }
    deinit { try? path.removeTree() }
  }

  private static func archive(_ files: [(String, [UInt8])]) -> [UInt8] {
    files.flatMap { name, content in
      let header = TarHeader(name: name, size: UInt64(content.count))
      return header.bytes + content + [UInt8](repeating: 0, count: Int(header.paddedSize) - content.count)
    } + [UInt8](repeating: 0, count: 1024)
  }

  private func open(_ bytes: [UInt8], in folder: Folder) async throws -> ArchiveBackend {
    let file = folder.path.appending("archive")
    try? file.removeFile()
    try file.createContent(bytes.span, durable: false)
    return try await ArchiveBackend(file)
  }

  @Test func whatItHoldsIsRead() async throws {
    let folder = try Folder()
    let large = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let backend = try await open(Self.archive([("b/two", large), ("a", []), ("b/one", [1, 2, 3])]), in: folder)
    #expect(backend.keys.map(\.text) == ["a", "b/one", "b/two"] && backend.firstName?.text == "b/two")
    #expect(try await backend.list("b/").map(\.size) == [3, 100_000])
    #expect(try await backend.get(BackendKey("a")) == [])
    #expect(try await backend.get(BackendKey("b/two")) == large)
    #expect(try await backend.get(BackendKey("b/two"), range: 99_990..<100_000) == Array(large[99_990...]))
    #expect(try await backend.get(BackendKey("none")) == nil)
    #expect(try await backend.digest(of: BackendKey("b/two")) == ObjectID(hashing: large.span))
    let copy = folder.path.appending("copy")
    #expect(try await backend.fetch(BackendKey("b/two"), into: copy) == ObjectID(hashing: large.span))
    #expect(try copy.readAll(limit: 1 << 20) == large)
    await #expect(throws: BackendError.self) { _ = try await backend.get(BackendKey("b/one"), range: 0..<4) }
    await #expect(throws: BackendError.self) { try await backend.put([1], at: BackendKey("c")) }
    await #expect(throws: BackendError.self) { try await backend.delete(BackendKey("a")) }
  }

  /// Whichever byte of a header is another, and wherever it ends: refused.
  @Test func nothingElseIsTaken() async throws {
    let folder = try Folder()
    let good = Self.archive([("packs/aa", [1, 2, 3]), ("b", [4])])
    _ = try await open(good, in: folder)
    for position in Array(0..<512) + Array(stride(from: 515, to: 1024, by: 61)) + Array(stride(from: 1537, to: good.count, by: 61)) {
      var bad = good
      bad[position] ^= 0x11
      await #expect(throws: BackendError.self, "byte \(position)") { _ = try await open(bad, in: folder) }
    }
    for count in stride(from: 0, to: good.count, by: 64) {
      await #expect(throws: BackendError.self, "\(count) bytes") { _ = try await open(Array(good[..<count]), in: folder) }
    }
    await #expect(throws: BackendError.self) { _ = try await open(good + [UInt8](repeating: 0, count: 512), in: folder) }
    for name in ["../x", "/x", "a/../b", "a//b", "A", ".x", "a/.x", "tmp/x", "a b", "a/"] {
      await #expect(throws: BackendError.self, "\(name)") { _ = try await open(Self.archive([(name, [])]), in: folder) }
    }
    await #expect(throws: BackendError.self) { _ = try await open(Self.archive([("a", [1]), ("a", [2])]), in: folder) }
    // More than the file has.
    var claims = TarHeader(name: "a", size: TarHeader.maximumSize).bytes
    claims += [UInt8](repeating: 0, count: 2048)
    await #expect(throws: BackendError.self) { _ = try await open(claims, in: folder) }
  }
}
