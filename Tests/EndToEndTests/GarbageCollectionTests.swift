import DVFile
import SystemPackage
import Testing

/// `dv gc`: it frees what nothing needs, and nothing else.
@Suite struct GarbageCollectionTests {
  /// Adds a version of `data` and commits it.
  private func version(_ text: String, in sandbox: Sandbox) throws {
    try sandbox.write(text, to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit(text)
  }

  /// Whatever git still knows of keeps its data: other branches, stashes, reflogs, the index, sides of a conflict,
  /// worktrees, and pointers that were never staged.
  @Test func whatGitKnowsOfStays() throws {
    let sandbox = try Sandbox()
    try version("base", in: sandbox)
    try sandbox.git("checkout", "--quiet", "-b", "other").succeed()
    try version("on a branch", in: sandbox)
    try sandbox.git("checkout", "--quiet", "main").succeed()
    try sandbox.dv("checkout").succeed()
    try version("undone", in: sandbox)
    try sandbox.git("reset", "--quiet", "--hard", "HEAD~1").succeed()
    try sandbox.write("stashed", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.git("stash", "--quiet").succeed()
    try sandbox.git("worktree", "add", "--quiet", "../tree", "-b", "tree").succeed()
    let tree = sandbox.folder.appending("tree")
    try sandbox.write("in the index of a worktree", to: tree.appending("data"))
    try sandbox.dv("add", "data", in: tree).succeed()
    try sandbox.write("staged", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.write("on disk", to: "loose")
    try sandbox.dv("add", "loose").succeed()
    try sandbox.git("rm", "--quiet", "--cached", "loose.dv").succeed()
    try sandbox.write("garbage", to: "garbage")
    try sandbox.dv("add", "garbage").succeed()
    try sandbox.git("rm", "--quiet", "--cached", "garbage.dv").succeed()
    try sandbox.path("garbage.dv").removeFile()

    let report = try sandbox.dv("gc", "--now", "--json").succeed().json
    #expect(report["liveObjects"] as? Int == 7)
    #expect(try #require(report["deletedPacks"] as? Int) >= 1)

    func expect(_ text: String, _ file: FilePath, in directory: FilePath) throws {
      try file.removeFile()
      try sandbox.dv("checkout", in: directory).succeed()
      #expect(try file.readAll(limit: 100) == Array(text.utf8))
    }
    try expect("staged", sandbox.path("data"), in: sandbox.work)
    #expect(try { try sandbox.path("loose").removeFile(); try sandbox.dv("checkout").succeed(); return try sandbox.read("loose") }() == "on disk")
    try expect("in the index of a worktree", tree.appending("data"), in: tree)
    try sandbox.git("reset", "--quiet", "--hard").succeed()
    for (revision, text) in [("other", "on a branch"), ("main@{1}", "undone"), ("main", "base"), ("stash@{0}", "stashed")] {
      try sandbox.git("checkout", "--quiet", Sandbox.Argument(revision), "--", "data.dv").succeed()
      try expect(text, sandbox.path("data"), in: sandbox.work)
    }
  }

  /// Without --now it takes two runs, the grace apart; a dry run changes nothing.
  @Test func garbageGoesAfterTheGrace() throws {
    let sandbox = try Sandbox()
    try version("kept", in: sandbox)
    try sandbox.write(Sandbox.noise(50_000, seed: 1), to: sandbox.path("garbage"))
    try sandbox.dv("add", "garbage").succeed()
    try sandbox.git("rm", "--quiet", "--cached", "garbage.dv").succeed()
    try sandbox.path("garbage.dv").removeFile()
    #expect(try sandbox.dv("gc").succeed().text == "Nothing to free.\n")
    try sandbox.dv("config", "gc.grace", "0s").succeed()
    let before = try TreeSnapshot(of: sandbox.path(".git/dv/store/packs"))
    #expect(try sandbox.dv("gc", "--dry-run", "--json").succeed().json["condemnedPacks"] as? Int == 1)
    try sandbox.dv("gc", "--dry-run", "--now").succeed()
    #expect(try TreeSnapshot(of: sandbox.path(".git/dv/store/packs")) == before)
    #expect(try sandbox.dv("gc", "--json").succeed().json["condemnedPacks"] as? Int == 1)
    #expect(try TreeSnapshot(of: sandbox.path(".git/dv/store/packs")) == before)
    let freed = try sandbox.dv("gc", "--json").succeed().json
    #expect(freed["deletedPacks"] as? Int == 1)
    #expect(try #require(freed["deletedBytes"] as? Int) > 50_000)
    #expect(try sandbox.dv("gc").succeed().text == "Nothing to free.\n")
    try sandbox.dv("config", "gc.grace", "soon").succeed()
    #expect(try sandbox.dv("gc").exit(2).errorText.contains("gc.grace"))
  }

  /// A store that clones share keeps what each of them needs, and refuses while one of them cannot be asked.
  @Test func allClonesOfAStoreCount() throws {
    let sandbox = try Sandbox()
    let store = sandbox.folder.appending("store")
    try sandbox.dv("config", "core.store", Sandbox.Argument(store)).succeed()
    let clone = try sandbox.clone(as: "clone")
    try sandbox.dv("config", "core.store", Sandbox.Argument(store), in: clone).succeed()
    try version("here", in: sandbox)
    try sandbox.write("there", to: clone.appending("own"))
    try sandbox.dv("add", "own", in: clone).succeed()
    #expect(try sandbox.dv("gc", "--now", "--json").succeed().json["clones"] as? Int == 2)
    try clone.appending("own").removeFile()
    try sandbox.dv("checkout", in: clone).succeed()

    let away = sandbox.folder.appending("away")
    try clone.rename(to: away)
    #expect(try sandbox.dv("gc", "--now").exit(2).errorText.contains(clone.string))
    #expect(try sandbox.dv("doctor").exit(1).text.contains("--prune-clones"))
    let pruned = try sandbox.dv("gc", "--now", "--prune-clones", "--json").succeed().json
    #expect(pruned["deletedPacks"] as? Int == 1)
    #expect((pruned["prunedClones"] as? [String])?.first?.hasPrefix(clone.string) == true)
    try sandbox.path("data").removeFile()
    try sandbox.dv("checkout").succeed()
  }

  /// With --rev older versions go, if a remote has them; the last copy never does.
  @Test func revisionsNarrowWhatIsKept() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try version("pushed", in: sandbox)
    try sandbox.dv("push").succeed()
    try version("not pushed", in: sandbox)
    try version("current", in: sandbox)
    let report = try sandbox.dv("gc", "--now", "--rev", "HEAD", "--json").succeed().json
    #expect(report["liveObjects"] as? Int == 2)
    #expect(report["keptUnpushed"] as? [String] == ["data"])
    try sandbox.git("checkout", "--quiet", "HEAD~1", "--", "data.dv").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("data") == "not pushed")
    try sandbox.git("checkout", "--quiet", "HEAD~2", "--", "data.dv").succeed()
    try sandbox.dv("checkout").exit(3)
    try sandbox.dv("pull").succeed()
    #expect(try sandbox.read("data") == "pushed")
    // A remote that cannot be asked has nothing.
    try sandbox.remote.rename(to: sandbox.folder.appending("away"))
    try sandbox.git("reset", "--quiet", "--hard").succeed()
    #expect(try sandbox.dv("gc", "--now", "--rev", "HEAD", "--json").succeed().json["liveObjects"] as? Int == 3)
  }

  /// A worktree whose files cannot be looked at keeps everything from going.
  @Test func lostWorktreesAreNamed() throws {
    let sandbox = try Sandbox()
    try version("content", in: sandbox)
    try sandbox.git("worktree", "add", "--quiet", "../tree", "-b", "tree").succeed()
    try sandbox.folder.appending("tree").removeTree()
    #expect(try sandbox.dv("gc").exit(2).errorText.contains("git worktree prune"))
    try sandbox.git("worktree", "prune").succeed()
    try sandbox.dv("gc").succeed()
  }
}
