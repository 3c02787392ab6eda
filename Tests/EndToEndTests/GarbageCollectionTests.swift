import DVFile
import DVTesting
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

  // MARK: Pins

  /// What is pinned or registered stays here and on a remote, whatever revisions are asked for.
  @Test func whatAuditsNeedStays() throws {
    let sandbox = try sandbox(withBucket: false)
    for text in ["pinned", "registered", "neither", "now"] {
      try version(text, in: sandbox)
      try sandbox.dv("push").succeed()
    }
    try sandbox.dv("pin", "audit/2026", "HEAD~3").succeed()
    try sandbox.dv("pin", "audit/2026", "HEAD~3").succeed()
    try sandbox.dv("pin", "audit/2026", "HEAD").exit(7)
    try sandbox.dv("pin", "no..name").exit(2)
    try sandbox.git("tag", "-a", "model@v1.0.0", "HEAD~2", "-m", "v1").succeed()
    #expect(try sandbox.dv("pin").succeed().text.hasSuffix("  audit/2026\n"))
    let retired = try sandbox.dv("remote", "retire", "origin", "--rev", "HEAD", "--older-than", "0s", "--yes", "--json").succeed().json
    #expect((retired["retired"] as? [Any])?.count == 1 && retired["kept"] as? Int == 3)
    try sandbox.dv("gc", "--now", "--rev", "HEAD").succeed()
    for (revision, code) in [("HEAD~3", Int32(0)), ("HEAD~2", 0), ("HEAD", 0)] {
      try sandbox.dv("cat", Sandbox.Argument("\(revision):data")).exit(code)
    }
    try sandbox.dv("pin", "--remove", "audit/2026").succeed()
    try sandbox.dv("pin", "--remove", "audit/2026").exit(2)
    #expect(try sandbox.dv("pin").succeed().text.isEmpty)
  }

  // MARK: Locks

  /// Runs a shell script that has the program as $1.
  private func script(_ text: String, in sandbox: Sandbox) throws -> Sandbox.Outcome {
    try sandbox.run(["sh", "-c", Sandbox.Argument(text), "sh", Sandbox.Argument(Sandbox.program)])
  }

  /// Who needs the store for himself waits for who is writing, and the other way round, and says so; not for ever.
  @Test func whoIsLockedOutWaits() throws {
    let sandbox = try Sandbox()
    try version("one", in: sandbox)
    let lock = ".git/dv/store/lock"
    let waited = try script("flock -s \(lock) sleep 2 & sleep 0.3; \"$1\" gc --now", in: sandbox).succeed()
    #expect(waited.errorText.contains("Waiting for another process"))
    let adding = try script("flock -x \(lock) sleep 2 & sleep 0.3; echo two > data; \"$1\" add data", in: sandbox).succeed()
    #expect(adding.errorText.contains("Waiting for another process"))
    let refused = try script("flock -s \(lock) sleep 3 & sleep 0.3; DV_LOCK_TIMEOUT=1 \"$1\" gc --now", in: sandbox).exit(6)
    #expect(refused.errorText.contains("for 1 seconds"))
  }

  /// On a file system without locks everything works but what must be alone.
  @Test func nothingNeedsTheLocksOfAFileSystem() throws {
    let sandbox = try Sandbox()
    sandbox.variables["DV_TEST_LOCKS"] = "none"
    let remote = sandbox.folder.appending("remote")
    try remote.createDirectories()
    try sandbox.dv("remote", "add", "origin", Sandbox.Argument(remote)).succeed()
    try version("one", in: sandbox)
    try sandbox.dv("push").succeed()
    try sandbox.dv("run", "-o", "made", "--", "sh", "-c", "echo made > made").succeed()
    try sandbox.dv("gc").succeed()
    #expect(try sandbox.dv("gc", "--now").exit(6).errorText.contains("without locks"))
    try sandbox.dv("gc", "--remote", "origin").succeed()
    let each = "echo {} > f{} && \"$1\" add f{} && \"$1\" push f{}"
    let many = try script("seq 4 | xargs -P 4 -I{} sh -c '\(each)' sh \"$1\"", in: sandbox)
    #expect(many.code == 0, "\(many.errorText)")
    try sandbox.dv("fsck").succeed()
    try sandbox.dv("fsck", "--remote", "origin").succeed()
  }

  // MARK: Remotes

  /// Makes a repository with a remote whose grace is over at once.
  private func sandbox(withBucket isBucket: Bool) throws -> Sandbox {
    let sandbox = try isBucket ? Sandbox.withBucketKeys() : Sandbox()
    sandbox.variables["DV_TEST_REMOTE_GRACE"] = "0"
    if isBucket {
      sandbox.variables["AWS_ENDPOINT_URL_S3"] = try TestServers.url(of: .moto)
      try sandbox.dv("remote", "add", "origin", "s3://\(TestServers.bucket)/\(TestServers.freshPrefix())").succeed()
    } else {
      let remote = sandbox.folder.appending("remote")
      try remote.createDirectories()
      try sandbox.dv("remote", "add", "origin", Sandbox.Argument(remote)).succeed()
    }
    return sandbox
  }

  /// What was pushed stays whatever this clone can reach; what was retired goes after two collections, and what shared a pack
  /// with it stays.
  @Test(arguments: [false, true])
  func aRemoteKeepsWhatWasNotRetired(isBucket: Bool) throws {
    let sandbox = try sandbox(withBucket: isBucket)
    try sandbox.write(Sandbox.noise(200_000, seed: 1), to: sandbox.path("data/old"))
    try sandbox.write(Sandbox.noise(30_000, seed: 2), to: sandbox.path("data/both"))
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("old")
    let old = try #require(try sandbox.read("data.dv").split(separator: "\n").first { $0.hasPrefix("oid ") }).dropFirst(4)
    try sandbox.dv("push").succeed()
    try sandbox.path("data/old").removeFile()
    try sandbox.write(Sandbox.noise(40_000, seed: 3), to: sandbox.path("data/new"))
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("new")
    try sandbox.dv("push").succeed()
    // Nothing is reachable here any more but on the remote it counts.
    let idle = try sandbox.dv("gc", "--remote", "origin", "--json").succeed().json
    #expect(idle["condemnedPacks"] as? Int == 0 && idle["contents"] as? Int == 2)

    // Nothing is retired that history needs; nor for --rev what has no other copy; nor without --yes.
    #expect(try sandbox.dv("remote", "retire", "origin", "--older-than", "0s", "--yes", "--json").succeed().json["kept"] as? Int == 2)
    let dry = try sandbox.dv("remote", "retire", "origin", "--older-than", "0s", "--rev", "main", "--json").succeed().json
    #expect((dry["retired"] as? [Any])?.count == 1 && dry["dryRun"] as? Bool == true)
    #expect(try sandbox.dv("remote", "retire", "origin", "--rev", "main", "--yes").succeed().text.contains("not long ago"))
    try sandbox.dv("gc", "--now", "--rev", "main").succeed()
    let last = try sandbox.dv("remote", "retire", "origin", "--older-than", "0s", "--rev", "main", "--yes", "--json").succeed().json
    #expect((last["lastCopies"] as? [Any])?.count == 1 && (last["retired"] as? [Any])?.isEmpty == true)
    // By name it is.
    #expect(try sandbox.dv("remote", "retire", "origin", Sandbox.Argument(String(old)), "--yes").succeed().text.contains("Retired:"))

    let dryRun = try sandbox.dv("gc", "--remote", "origin", "--dry-run", "--json").succeed().json
    let first = try sandbox.dv("gc", "--remote", "origin", "--json").succeed().json
    for key in ["condemnedPacks", "contents", "deletedRoots"] { #expect(dryRun[key] as? Int == first[key] as? Int, "\(key)") }
    #expect(first["condemnedPacks"] as? Int == 1 && first["contents"] as? Int == 1)
    #expect(try #require(first["repackedBytes"] as? Int) > 30_000)
    let second = try sandbox.dv("gc", "--remote", "origin", "--json").succeed().json
    #expect(try #require(second["deletedBytes"] as? Int) > 200_000)
    #expect(try sandbox.dv("gc", "--remote", "origin").succeed().text.contains("Nothing to free."))

    let clone = sandbox.folder.appending("clone")
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), Sandbox.Argument(clone)).succeed()
    if !isBucket { try sandbox.dv("fsck", "--remote", "origin", "--full", in: clone).succeed() }
    try sandbox.dv("pull", in: clone).succeed()
    #expect(try clone.appending("data/both").readAll(limit: 1 << 20) == Sandbox.noise(30_000, seed: 2))
    // What is gone is missing, and a push from where it still is brings it back.
    try sandbox.git("checkout", "--quiet", "HEAD~1", in: clone).succeed()
    try sandbox.dv("pull", in: clone).exit(3)
  }

  /// What gc does not understand, or whose clock is wrong, it leaves alone.
  @Test func aRemoteThatIsNotUnderstoodIsLeftAlone() throws {
    let sandbox = try sandbox(withBucket: false)
    try version("one", in: sandbox)
    try sandbox.dv("push").succeed()
    let remote = sandbox.folder.appending("remote")
    func expectRefusal(_ text: String, _ code: Int32, _ file: String, _ bytes: [UInt8]) throws {
      let path = remote.appending(file)
      try path.removingLastComponent().createDirectories()
      try path.createContent(bytes.span)
      let before = try TreeSnapshot(of: remote)
      let outcome = try sandbox.dv("gc", "--remote", "origin").exit(code)
      #expect(outcome.errorText.contains(text), "\(outcome.errorText)")
      #expect(try TreeSnapshot(of: remote) == before)
      try path.removeFile()
    }
    try expectRefusal("not what this dv writes", 2, "gc/plan", [])
    try expectRefusal("not what this dv writes", 2, "roots/strange", [])
    try expectRefusal("needs future-1", 2, "format/2", Array("dv-format 1\nread packs-1\nwrite packs-1\ngc future-1\n".utf8))
    // No root at all: not a store without needs, but one that lost what it knew.
    let roots = try remote.appending("roots").listDirectory()
    for index in roots.indices { try remote.appending("roots").appending(name: roots.name(at: index)).removeFile() }
    let outcome = try sandbox.dv("gc", "--remote", "origin").exit(4)
    #expect(outcome.errorText.contains("no record of what was pushed"))
    try sandbox.dv("gc", "--remote", "origin", "--now").exit(2)
    sandbox.variables["DV_TEST_REMOTE_GRACE"] = nil
    try sandbox.dv("config", "gc.remoteGrace", "1h").succeed()
    try sandbox.dv("gc", "--remote", "origin").exit(2)
  }
}
