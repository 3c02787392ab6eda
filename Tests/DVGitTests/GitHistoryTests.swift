import DVGit
import DVTesting
import SystemPackage
import Testing

@Suite struct GitHistoryTests {
  private func id(_ hex: String) throws -> GitObjectID { try GitObjectID(hex: hex) }

  @Test func objectIDs() throws {
    let hex = "00112233445566778899aabbccddeeff01234567"
    let id = try GitObjectID(hex: hex)
    #expect(id.hex == hex)
    #expect(try GitObjectID(bytes: id.bytes.span) == id)
    #expect(try id < GitObjectID(hex: "00112233445566778899aabbccddeeff01234568"))
    for wrong in ["", String(hex.dropLast()), hex + "0", String(hex.dropLast()) + "g"] {
      #expect(throws: GitError.self) { try GitObjectID(hex: wrong) }
    }
  }

  @Test func revisions() throws {
    let sandbox = try GitSandbox()
    let commits = try (0..<4).map { try id(sandbox.commitAll("number \($0)")) }
    try sandbox.git("tag", "light", "HEAD~1")
    try sandbox.git("tag", "--annotate", "--message", "m", "heavy", "HEAD~2")
    try sandbox.git("tag", "tree", "HEAD^{tree}")
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    #expect(try repository.resolve(revision: "HEAD") == commits[3])
    #expect(try repository.resolve(revision: "HEAD~3") == commits[0])
    #expect(try repository.resolve(revision: "main^") == commits[2])
    #expect(try repository.resolve(revision: "light") == commits[2])
    #expect(try repository.resolve(revision: "heavy") == commits[1])
    #expect(try repository.resolve(revision: commits[0].shortHex) == commits[0])
    for (revision, code) in [
      ("nothing", GitError.Code.notFound), ("HEAD~9", .notFound), ("a..b", .invalid), ("tree", .invalid),
    ] {
      let error = #expect(throws: GitError.self) { try repository.resolve(revision: revision) }
      #expect(error?.code == code, "\(revision): \(error?.message ?? "")")
      #expect(error?.message.contains("'\(revision)'") == true)
    }
    let commit = try repository.commit(commits[1])
    #expect(commit.parents == [commits[0]])
    #expect(commit.author.name == "Ada")
    #expect(commit.author.email == "ada@example.com")
    #expect(commit.author.offset == 60)
    #expect(commit.message == "number 1\n")
    #expect(commit.tree.hex == (try sandbox.git("rev-parse", "HEAD~2^{tree}")))
  }

  @Test func commitWalks() throws {
    let sandbox = try GitSandbox()
    let base = try id(sandbox.commitAll("base"))
    let left = try id(sandbox.commitAll("left"))
    try sandbox.git("checkout", "--quiet", "-b", "side", base.hex)
    let right = try id(sandbox.commitAll("right"))
    try sandbox.git("merge", "--quiet", "--no-edit", "main")
    let merge = try id(sandbox.git("rev-parse", "HEAD"))
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    func walk(_ starts: [GitObjectID], hiding: [GitObjectID] = [], firstParentOnly: Bool = false) throws
      -> [GitObjectID]
    {
      var found: [GitObjectID] = []
      try repository.forEachCommit(from: starts, hiding: hiding, firstParentOnly: firstParentOnly) { found.append($0) }
      return found
    }
    #expect(try walk([merge, left]) == [merge, right, left, base])
    #expect(try walk([merge], hiding: [left]) == [merge, right])
    #expect(try walk([merge], firstParentOnly: true) == [merge, right, base])
    #expect(try walk([left], hiding: [merge]) == [])
    #expect(try repository.mergeBase(left, right) == base)
  }

  @Test func shallowClonesEndAtTheirBoundary() throws {
    let sandbox = try GitSandbox()
    let commits = try (0..<5).map { _ in try id(sandbox.commitAll()) }
    let clone = sandbox.folder.appending("clone")
    try sandbox.git("clone", "--quiet", "--depth", "2", "file://\(sandbox.work)", clone.string)
    try sandbox.git("worktree", "add", "--quiet", "--detach", sandbox.folder.appending("tree").string, in: clone)
    for place in [clone, sandbox.folder.appending("tree")] {
      let repository = try GitRepository(discoveringFrom: place)
      #expect(try repository.isShallow)
      var found: [GitObjectID] = []
      try repository.forEachCommit(from: [commits[4]]) { found.append($0) }
      #expect(found == [commits[4], commits[3]])
      let error = #expect(throws: GitError.self) { try repository.resolve(revision: commits[0].hex) }
      #expect(error?.code == .notFound)
      #expect(error?.message.contains("--unshallow") == true)
    }
  }

  /// A partial clone lacks the contents: that is an error with a remedy, never a pointer less.
  @Test func partialClonesSayWhatIsMissing() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("data/a.dv", "content")
    let commit = try id(sandbox.commitAll())
    try sandbox.git("config", "uploadpack.allowFilter", "true")
    let clone = sandbox.folder.appending("clone")
    try sandbox.git(
      "clone", "--quiet", "--no-checkout", "--filter=blob:none", "file://\(sandbox.work)", clone.string)
    let error = #expect(throws: GitError.self) {
      try PointerWalk(GitRepository(discoveringFrom: clone)).pointers(in: commit)
    }
    #expect(error?.code == .notFound)
    #expect(error?.message.contains("--refetch --no-filter") == true)
    try sandbox.git("fetch", "--quiet", "--refetch", "--no-filter", in: clone)
    #expect(try PointerWalk(GitRepository(discoveringFrom: clone)).pointers(in: commit).count == 1)
  }

  @Test func pointersOfTrees() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("top.dv", "top")
    try sandbox.write("data/a.dv", "aa")
    try sandbox.write("data/deep/b.dv", "")
    try sandbox.write("data/code.py", "print()")
    try sandbox.write(".dv/config", "")
    try sandbox.write("data/.dv", "no name")
    try sandbox.git("config", "core.symlinks", "true")
    let raw = sandbox.work.appending(
      FilePath.Component(platformString: [CChar(bitPattern: 0xff), 0x2e, 0x64, 0x76, 0])!)
    try sandbox.write(raw, [1, 2, 3])
    let first = try id(sandbox.commitAll())
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    let walk = PointerWalk(repository)
    let found = try walk.pointers(in: first)
    #expect(
      Set(found.map(\.path.bytes)) == [
        Array("top.dv".utf8), Array("data/a.dv".utf8), Array("data/deep/b.dv".utf8), [0xff] + Array(".dv".utf8),
      ])
    #expect(found.reduce(0) { $0 + $1.size } == 8)
    #expect(try walk.pointers(in: first, under: GitPath("data/deep")).map(\.path.description) == ["data/deep/b.dv"])
    #expect(try walk.pointers(in: first, under: GitPath("top.dv")).map(\.size) == [3])
    #expect(try walk.pointers(in: first, under: GitPath("absent")).isEmpty)
    #expect(try walk.pointers(in: first, under: GitPath("data/code.py")).isEmpty)

    // A second commit returns only what is new, and the same content at another path is not.
    #expect(try walk.newPointers(in: first).count == 4)
    try sandbox.write("data/deep/c.dv", "c")
    try sandbox.write("data/copy.dv", "aa")
    let second = try id(sandbox.commitAll())
    #expect(try walk.newPointers(in: second).map(\.path.description) == ["data/deep/c.dv"])
    #expect(try walk.newPointers(in: second).isEmpty)
    #expect(try walk.pointers(in: second).count == 6)
  }

  @Test func blobs() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("data/a.dv", "content")
    let commit = try id(sandbox.commitAll())
    try sandbox.git("gc", "--quiet")
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    let entry = try #require(try repository.entry(at: GitPath("data/a.dv"), in: commit))
    #expect(entry.kind == .file)
    #expect(try repository.blobSize(entry.id) == 7)
    #expect(try repository.readBlob(entry.id, limit: 7) == Array("content".utf8))
    #expect(try repository.readBlob(at: GitPath("data/a.dv"), in: commit, limit: 7) == Array("content".utf8))
    #expect(try repository.readBlob(at: GitPath("data"), in: commit, limit: 7) == nil)
    #expect(try repository.entry(at: GitPath("data/none"), in: commit) == nil)
    #expect(try repository.entry(at: GitPath("none/a.dv"), in: commit) == nil)
    #expect(try repository.entry(at: GitPath("data"), in: commit)?.kind == .directory)
    let tooLarge = #expect(throws: GitError.self) { try repository.readBlob(entry.id, limit: 6) }
    #expect(tooLarge?.code == .invalid)
    let missing = #expect(throws: GitError.self) {
      try repository.blobSize(GitObjectID(hex: String(repeating: "1", count: 40)))
    }
    #expect(missing?.code == .notFound)
    #expect(throws: GitError.self) { try repository.blobSize(commit) }
  }

  @Test(arguments: [false, true])
  func references(packed: Bool) throws {
    let sandbox = try GitSandbox()
    try sandbox.write("file", "1")
    let first = try id(sandbox.commitAll())
    let second = try id(sandbox.commitAll())
    try sandbox.git("tag", "--annotate", "--message", "m", "v1", first.hex)
    try sandbox.git("tag", "tree", "HEAD^{tree}")
    try sandbox.git("update-ref", "refs/dv/exp/one", first.hex)
    try sandbox.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
    try sandbox.write("file", "2")
    try sandbox.git("stash")
    if packed { try sandbox.git("pack-refs", "--all") }
    let stash = try id(sandbox.git("rev-parse", "refs/stash"))
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    let references = try repository.references()
    #expect(
      references.map(\.name) == ["refs/dv/exp/one", "refs/heads/main", "refs/stash", "refs/tags/tree", "refs/tags/v1"])
    #expect(references.map(\.commit) == [first, second, stash, nil, first])
    #expect(references[4].target.hex == (try sandbox.git("rev-parse", "v1")))
    try sandbox.git("tag", "a/b@v1", first.hex)
    #expect(try repository.references(below: "refs/tags/", where: { $0 != "refs/tags/tree" }).map(\.name) == ["refs/tags/a/b@v1", "refs/tags/v1"])
    #expect(try repository.tags { $0.hasPrefix("a/") }.map(\.name) == ["a/b@v1"])

    let reflogs = try repository.reflogs()
    #expect(reflogs.filter { $0.reference == "HEAD" }.map(\.new).contains(first))
    #expect(reflogs.filter { $0.reference == "refs/heads/main" }.map(\.new) == [second, first])
    #expect(reflogs.filter { $0.reference == "refs/stash" }.map(\.new) == [stash])
    #expect(reflogs.contains { $0.old.isNull })
    // To ask for a reflog must not create it.
    #expect(try repository.reflog(of: "refs/tags/v1").isEmpty)
    #expect(throws: (any Error).self) { try same(repository.gitDirectory.appending("logs/refs/tags/v1"), sandbox.work) }
  }

  @Test func operationHeads() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("file", "base")
    try sandbox.commitAll()
    try sandbox.write("file", "main")
    let main = try id(sandbox.commitAll())
    try sandbox.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    try sandbox.write("file", "side")
    let side = try id(sandbox.commitAll())
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    #expect(throws: GitSandbox.Failure.self) { try sandbox.git("merge", "main") }
    #expect(try repository.operationHeads().contains { $0.name == "MERGE_HEAD" && $0.commit == main })
    try sandbox.git("merge", "--abort")
    #expect(throws: GitSandbox.Failure.self) { try sandbox.git("rebase", "main") }
    let heads = try repository.operationHeads()
    #expect(heads.contains { $0.name == "rebase-merge/orig-head" && $0.commit == side })
    #expect(heads.contains { $0.name == "rebase-merge/onto" && $0.commit == main })
  }
}
