import DVFile
import Foundation
import SystemPackage
import Testing

extension Sandbox {
  /// A directory beside the repository that is a remote of it, as the project's default.
  var remote: FilePath { folder.appending("remote") }

  /// Adds the remote and commits that.
  func addRemote() throws {
    try dv("remote", "add", "origin", "../remote", "--create").succeed()
    try commit("remote")
  }

  /// Clones the repository with git, as a colleague does.
  func clone(as name: String) throws -> FilePath {
    let clone = folder.appending(name)
    try git("clone", "--quiet", Argument(work), Argument(clone), in: folder).succeed()
    return clone
  }

  /// The packs of the remote, largest first.
  func remotePacks() throws -> [FilePath] {
    try packs(below: remote.appending("packs"))
  }

  func packs(below directory: FilePath) throws -> [FilePath] {
    guard try directory.fileStat() != nil else { return [] }
    var found: [(FilePath, UInt64)] = []
    let folders = try directory.listDirectory()
    for folder in folders.indices {
      let inner = directory.appending(name: folders.name(at: folder))
      let files = try inner.listDirectory()
      for file in files.indices {
        let path = inner.appending(name: files.name(at: file))
        found.append((path, try path.fileStat()?.size ?? 0))
      }
    }
    return found.sorted { $0.1 > $1.1 }.map(\.0)
  }

  /// Replaces a stored file, which dv itself never does.
  func overwrite(_ file: FilePath, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = try file.readAll(limit: 1 << 30)
    change(&bytes)
    try file.removeFile()
    try write(bytes, to: file)
  }

  /// Bytes that do not compress, the same for the same seed.
  static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state >> 32)
    }
  }
}

/// `dv push`, `fetch` and `pull` between clones that share a directory.
@Suite struct ShareTests {
  /// Whatever a version can hold arrives in another clone bit by bit.
  @Test func whatIsPushedArrives() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try sandbox.writeOddTree(at: sandbox.path("data"))
    try sandbox.write(Sandbox.noise(700_000, seed: 1), to: sandbox.path("model.bin"))
    try sandbox.dv("add", "data", "model.bin").succeed()
    try sandbox.commit()
    let pushed = try sandbox.dv("push", "--json").succeed().json
    #expect(pushed["schema"] as? String == "dv.push/1")
    #expect((pushed["failed"] as? [Any])?.isEmpty == true)
    #expect(pushed["packs"] as? Int == 1)
    #expect(try sandbox.dv("push").succeed().text == "Everything is there already.\n")
    #expect(try sandbox.dv("status").succeed().text == "All data is what its pointers say.\n")

    let clone = try sandbox.clone(as: "clone")
    try sandbox.dv("pull", in: clone).succeed()
    #expect(try TreeSnapshot(of: clone.appending("data")) == sandbox.snapshot("data"))
    #expect(try TreeSnapshot(of: clone.appending("model.bin")) == sandbox.snapshot("model.bin"))
    #expect(try sandbox.dv("pull", in: clone).succeed().text == "Everything is there already.\n")
    #expect(try sandbox.dv("status", "--exit-code", in: clone).succeed().text == "All data is what its pointers say.\n")
  }

  /// A change costs what changed, in the remote and in the clone that pulls it.
  @Test func aChangeCostsWhatChanged() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    for directory in 0..<20 {
      for file in 0..<20 {
        try sandbox.write(Sandbox.noise(3_000, seed: UInt64(directory * 100 + file)), to: sandbox.path("data/d\(directory)/f\(file)"))
      }
    }
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    let clone = try sandbox.clone(as: "clone")
    try sandbox.dv("pull", in: clone).succeed()

    try sandbox.write("changed", to: "data/d7/f7")
    try sandbox.dv("add", "data/d7/f7").succeed()
    try sandbox.commit()
    let pushed = try sandbox.dv("push", "--json").succeed().json
    #expect(pushed["objects"] as? Int == 3)
    #expect(try #require(pushed["bytes"] as? Int) < 10_000)
    try sandbox.git("pull", "--quiet", in: clone).succeed()
    let pulled = try sandbox.dv("pull", "--json", in: clone).succeed().json
    #expect(pulled["objects"] as? Int == 3)
    #expect(try TreeSnapshot(of: clone.appending("data")) == sandbox.snapshot("data"))
  }

  /// A path inside a directory brings that part; a path that is not there is said so.
  @Test func aPartIsFetchedAlone() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    for (number, name) in ["a/one", "a/two", "b/one", "b/deep/er"].enumerated() {
      try sandbox.write(Sandbox.noise(50_000, seed: UInt64(number)), to: sandbox.path("data/\(name)"))
    }
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    let clone = try sandbox.clone(as: "clone")
    let fetched = try sandbox.dv("fetch", "data/b/deep", "--json", in: clone).succeed().json
    #expect(try #require(fetched["bytes"] as? Int) < 60_000)
    try sandbox.dv("pull", "data/b/deep/er", in: clone).succeed()
    #expect(try TreeSnapshot(of: clone.appending("data/b")).items.keys.count == 3)
    #expect(try clone.appending("data/a").fileStat() == nil)
    #expect(try sandbox.dv("fetch", "data/nothing", in: clone).exit(2).errorText.contains("There is no 'nothing'"))
    try sandbox.dv("pull", in: clone).succeed()
    #expect(try TreeSnapshot(of: clone.appending("data")) == sandbox.snapshot("data"))
  }

  /// Of a directory with so many entries that it has levels of nodes, those that lead to the part are enough.
  @Test func aPartOfALargeDirectoryIsPulled() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    for number in 0..<2500 { try sandbox.write("entry \(number)\n", to: "data/entry number \(number)") }
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    let clone = try sandbox.clone(as: "clone")
    try sandbox.dv("pull", "data/entry number 1234", in: clone).succeed()
    #expect(try TreeSnapshot(of: clone.appending("data")).items.keys.count == 2)
    #expect(try sandbox.dv("pull", "data/entry number", in: clone).exit(2).errorText.contains("There is no"))
    try sandbox.dv("pull", in: clone).succeed()
    #expect(try TreeSnapshot(of: clone.appending("data")) == sandbox.snapshot("data"))
  }

  /// All of history can be pushed and fetched; then every version can be had without the remote.
  @Test func historyIsShared() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    for version in 1...3 {
      try sandbox.write("version \(version)\n", to: "data/file")
      try sandbox.dv("add", "data").succeed()
      try sandbox.commit("version \(version)")
    }
    try sandbox.dv("push", "--all").succeed()
    let clone = try sandbox.clone(as: "clone")
    try sandbox.dv("fetch", "--rev", "HEAD~1", in: clone).succeed()
    try sandbox.dv("pull", "--all", in: clone).succeed()
    try sandbox.remote.removeTree()
    for version in 1...3 {
      try sandbox.git("checkout", "--quiet", "HEAD~\(version == 1 ? 2 : 0)", in: clone)
      try sandbox.git("checkout", "--quiet", Sandbox.Argument("main~\(3 - version)"), in: clone).succeed()
      try sandbox.dv("checkout", in: clone).succeed()
      #expect(try clone.appending("data/file").readAll(limit: 100) == Array("version \(version)\n".utf8))
    }
    // Nothing lacks, so nobody asks the remote.
    try sandbox.dv("pull", in: clone).succeed()
    #expect(try sandbox.dv("push", in: clone).exit(5).errorText.contains("does not exist"))
  }

  /// What is damaged or gone on the remote is named and not delivered, all else is, and the exit code tells.
  @Test(arguments: [("truncated", Int32(4)), ("deleted", 3), ("flipped", 4)])
  func damageOnTheRemoteIsNamed(damage: String, code: Int32) throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    for file in 0..<5 { try sandbox.write(Sandbox.noise(30_000, seed: UInt64(file)), to: sandbox.path("bad/f\(file)")) }
    try sandbox.dv("add", "bad").succeed()
    try sandbox.dv("push").succeed()
    let pack = try #require(try sandbox.remotePacks().first)
    try sandbox.write("whole", to: "good/file")
    try sandbox.dv("add", "good").succeed()
    try sandbox.dv("push").succeed()
    try sandbox.commit()
    switch damage {
    case "truncated": try sandbox.overwrite(pack) { $0.removeLast($0.count / 2) }
    case "deleted": try pack.removeFile()
    default: try sandbox.overwrite(pack) { $0[$0.count / 3] ^= 1 }
    }

    let clone = try sandbox.clone(as: "clone")
    let pulled = try sandbox.dv("pull", "--json", in: clone)
    #expect(pulled.code == 3 || pulled.code == 4)
    if damage == "flipped" { #expect(pulled.code == code) }
    let failed = try #require(try pulled.json["failed"] as? [[String: Any]])
    #expect(!failed.isEmpty)
    for failure in failed {
      #expect((failure["path"] as? String)?.hasPrefix("bad") == true)
      #expect((failure["oid"] as? String)?.hasPrefix("sha256:") == true)
      #expect((failure["where"] as? String) == "remote 'origin'")
      #expect((failure["message"] as? String)?.isEmpty == false)
    }
    #expect(try clone.appending("good/file").readAll(limit: 100) == Array("whole".utf8))
    for file in 0..<5 {
      let place = clone.appending("bad/f\(file)")
      if try place.fileStat() != nil { #expect(try place.readAll(limit: 1 << 20) == Sandbox.noise(30_000, seed: UInt64(file))) }
    }
    let checked = try sandbox.dv("remote", "check", "--json")
    #expect(checked.code == (damage == "flipped" ? 0 : 4))
    guard damage != "flipped" else { return }
    #expect((try checked.json["damaged"] as? [[String: Any]])?.first?["pack"] as? String == pack.lastComponent?.string)

    // Whoever has the data makes the remote good by pushing.
    #expect(try sandbox.dv("push").succeed().text.contains("it is complete again"))
    try sandbox.dv("remote", "check").succeed()
    try sandbox.dv("pull", in: clone).succeed()
    #expect(try TreeSnapshot(of: clone.appending("bad")) == sandbox.snapshot("bad"))
  }

  /// A pack lost from the local store is fetched again.
  @Test func lostLocalPacksAreFetchedAgain() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try sandbox.write(Sandbox.noise(100_000, seed: 1), to: sandbox.path("data"))
    try sandbox.dv("add", "data").succeed()
    try sandbox.dv("push").succeed()
    for pack in try sandbox.packs(below: sandbox.path(".git/dv/store/packs")) { try pack.removeFile() }
    try sandbox.path("data").removeFile()
    #expect(try sandbox.dv("checkout").code == 3)
    try sandbox.dv("pull").succeed()
    #expect(try sandbox.path("data").readAll(limit: 1 << 20) == Sandbox.noise(100_000, seed: 1))
  }

  /// A conflicted pointer breaks only itself.
  @Test func aConflictBreaksOnlyItself() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try sandbox.write("other", to: "other")
    try sandbox.write("base", to: "data")
    try sandbox.dv("add", "data", "other").succeed()
    try sandbox.commit()
    try sandbox.write("<<<<<<< ours\n\(try sandbox.read("data.dv"))=======\nx\n>>>>>>> theirs\n", to: "data.dv")
    let pushed = try sandbox.dv("push", "--json").exit(7)
    let failed = try #require(try pushed.json["failed"] as? [[String: Any]])
    #expect(failed.count == 1 && failed[0]["kind"] as? String == "conflicted")
    let done = try #require(try pushed.json["done"] as? [[String: Any]])
    #expect(done.map { $0["path"] as? String } == ["other"])
  }

  /// A clone that has only a part can push what it changed in it: the rest is on the remote already.
  @Test func aPartialClonePushes() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    for name in ["a/one", "a/two", "b/one"] { try sandbox.write("first \(name)", to: "data/\(name)") }
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    let clone = try sandbox.clone(as: "clone")
    try sandbox.dv("pull", "data/a", in: clone).succeed()
    try sandbox.write("second", to: clone.appending("data/a/one"))
    try sandbox.dv("add", "data/a", in: clone).succeed()
    try sandbox.commit(in: clone)
    try sandbox.dv("push", in: clone).succeed()
    try sandbox.git("pull", "--quiet", Sandbox.Argument(clone), "main").succeed()
    try sandbox.dv("pull").succeed()
    #expect(try sandbox.read("data/a/one") == "second")
    #expect(try sandbox.read("data/b/one") == "first b/one")
  }

  /// What exists nowhere is named, and the push does not exit with 0; what a remote has need not be here.
  @Test func whatIsMissingHereIsNamed() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try sandbox.write("pushed", to: "pushed")
    try sandbox.dv("add", "pushed").succeed()
    try sandbox.dv("push").succeed()
    try sandbox.write("lost", to: "lost")
    try sandbox.dv("add", "lost").succeed()
    try sandbox.path(".git/dv/store").removeTree()
    let pushed = try sandbox.dv("push", "--json").exit(3)
    let failed = try #require(try pushed.json["failed"] as? [[String: Any]])
    #expect(failed.map { $0["path"] as? String } == ["lost"])
    #expect(try sandbox.dv("push").exit(3).errorText.contains("'lost' is missing"))
    try sandbox.dv("push", "pushed").succeed()
  }

  /// Wherever a push is killed, the next one goes on, and what it says is there can be pulled.
  @Test(arguments: Array(stride(from: 20, through: 200, by: 20)))
  func killedPushesGoOn(position: Int) throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    for file in 0..<10 { try sandbox.write(Sandbox.noise(40_000, seed: UInt64(file)), to: sandbox.path("data/f\(file)")) }
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    _ = try sandbox.dv("push", environment: ["DV_TEST_FAULT": "\(position):stop"])
    try sandbox.dv("push").succeed()
    let clone = try sandbox.clone(as: "clone")
    _ = try sandbox.dv("pull", in: clone, environment: ["DV_TEST_FAULT": "\(position):stop"])
    try sandbox.dv("pull", in: clone).succeed()
    #expect(try TreeSnapshot(of: clone.appending("data")) == sandbox.snapshot("data"))
    try sandbox.dv("remote", "check").succeed()
  }

  /// Work that would be lost is not overwritten by a pull.
  @Test func aPullOverwritesNoWork() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try sandbox.write("first", to: "data/file")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    let clone = try sandbox.clone(as: "clone")
    try sandbox.dv("pull", in: clone).succeed()
    try sandbox.write("mine", to: clone.appending("data/file"))
    try sandbox.write("second", to: "data/file")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    try sandbox.git("pull", "--quiet", in: clone).succeed()
    try sandbox.dv("pull", in: clone).exit(7)
    #expect(try clone.appending("data/file").readAll(limit: 100) == Array("mine".utf8))
    try sandbox.dv("pull", "--force", in: clone).succeed()
    #expect(try clone.appending("data/file").readAll(limit: 100) == Array("second".utf8))
  }
}
