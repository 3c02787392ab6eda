import DVFile
import SystemPackage
import Testing

/// Large files that a pull brings into the store and into the working tree in one pass.
@Suite struct LargePullTests {
  /// The same mebibyte 65 times: large, and soon made, stored and moved.
  private static func content(seed: UInt64) -> [UInt8] {
    let part = Sandbox.noise(1 << 20, seed: seed)
    return (0..<65).reduce(into: []) { bytes, _ in bytes += part }
  }

  /// Whether two files have the same bytes.
  private func same(_ one: FilePath, _ other: FilePath, _ sandbox: Sandbox) throws -> Bool {
    try sandbox.run(["cmp", "-s", Sandbox.Argument(one), Sandbox.Argument(other)], in: "/").code == 0
  }

  private func leftovers(in folder: FilePath) throws -> [String] {
    let listing = try folder.listDirectory()
    return listing.indices.map { String(decoding: listing.name(at: $0), as: UTF8.self) }.filter { $0.hasPrefix(".dv-") }
  }

  /// A file and one inside a directory, the same content twice, an executable; then damage, and a file of the user's in the way.
  @Test func largeFilesArriveWholeOrNotAtAll() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    let model = sandbox.work.appending("model.bin")
    try sandbox.write(Self.content(seed: 1), to: model)
    let shards = sandbox.work.appending("weights/deep")
    try shards.createDirectories()
    try sandbox.run(["cp", Sandbox.Argument(model), Sandbox.Argument(shards.appending("a.bin"))], in: "/").succeed()
    try shards.appending("a.bin").setExecutable(true)
    try sandbox.write([1, 2, 3], to: shards.appending("small"))
    try sandbox.dv("add", "model.bin", "weights").succeed()
    try sandbox.commit("data")
    try sandbox.dv("push").succeed()

    let clone = try sandbox.clone(as: "clone")
    try sandbox.dv("pull", in: clone).succeed()
    #expect(try same(clone.appending("model.bin"), model, sandbox))
    #expect(try same(clone.appending("weights/deep/a.bin"), model, sandbox))
    #expect(try #require(try clone.appending("weights/deep/a.bin").fileStat()).mode & 0o111 != 0)
    #expect(try #require(try clone.appending("model.bin").fileStat()).mode & 0o111 == 0)
    #expect(try leftovers(in: clone).isEmpty)
    #expect(try sandbox.git("status", "--porcelain", in: clone).succeed().text.isEmpty)
    #expect(try sandbox.dv("pull", "--json", in: clone).succeed().json["bytes"] as? Int == 0)
    // All of it is in the store: the remote is not needed again.
    try sandbox.dv("fsck", "--full", in: clone).succeed()

    let other = try sandbox.clone(as: "other")
    try sandbox.write([7], to: other.appending("model.bin"))
    #expect(try sandbox.dv("pull", in: other).code != 0)
    #expect(try other.appending("model.bin").readAll(limit: 10) == [7])
    #expect(try leftovers(in: other).isEmpty)

    let third = try sandbox.clone(as: "third")
    try sandbox.overwrite(try #require(try sandbox.remotePacks().first)) { $0[$0.count / 2] ^= 4 }
    let pulled = try sandbox.dv("pull", in: third)
    #expect(pulled.code == 4)
    #expect(pulled.errorText.contains("model.bin"))
    #expect(try third.appending("model.bin").fileStat() == nil)
    #expect(try third.appending("weights/deep/small").readAll(limit: 10) == [1, 2, 3])
    #expect(try leftovers(in: third).isEmpty)
  }
}
