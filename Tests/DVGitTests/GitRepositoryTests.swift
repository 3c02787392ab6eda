import DVGit
import DVTesting
import Foundation
import SystemPackage
import Testing

@Suite struct GitRepositoryTests {
  @Test func opensFromASubdirectory() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("a/b/file", "x")
    let repository = try GitRepository(discoveringFrom: sandbox.work.appending("a/b"))
    #expect(try same(repository.workDirectory, sandbox.work))
    #expect(try same(repository.gitDirectory, sandbox.work.appending(".git")))
    #expect(repository.gitDirectory == repository.commonDirectory)
    #expect(!repository.isBare)
    #expect(!repository.isWorktree)
    #expect(try !repository.isShallow)
  }

  @Test func outsideIsNoRepository() throws {
    let sandbox = try GitSandbox()
    let error = #expect(throws: GitError.self) { try GitRepository(discoveringFrom: sandbox.folder) }
    #expect(error?.code == .notRepository)
    #expect(error?.message.contains("git init") == true)
    #expect(throws: GitError.self) {
      try GitRepository(
        discoveringFrom: sandbox.work.appending("a"), ceilings: [sandbox.work])
    }
  }

  @Test func bare() throws {
    let sandbox = try GitSandbox(initialising: ["--bare", "--initial-branch=main"])
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    #expect(repository.isBare)
    #expect(repository.workDirectory == nil)
    #expect(try repository.head() == .unborn(branch: "main"))
  }

  @Test func headUnbornBranchDetached() throws {
    let sandbox = try GitSandbox()
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    #expect(try repository.head() == .unborn(branch: "main"))
    #expect(try repository.index().pointers.isEmpty)
    let commit = try GitObjectID(hex: try sandbox.commitAll())
    #expect(try repository.head() == .branch(name: "main", commit: commit))
    try sandbox.git("checkout", "--quiet", "-b", "topic/one")
    #expect(try repository.head() == .branch(name: "topic/one", commit: commit))
    try sandbox.git("checkout", "--quiet", "--detach")
    #expect(try repository.head() == .detached(commit: commit))
  }

  @Test func linkedWorktree() throws {
    let sandbox = try GitSandbox()
    let first = try GitObjectID(hex: try sandbox.commitAll())
    let other = sandbox.folder.appending("other")
    try sandbox.git("worktree", "add", "--quiet", "-b", "side", other.string)
    let second = try GitObjectID(hex: try sandbox.commitAll("side", in: other))

    let linked = try GitRepository(discoveringFrom: other)
    #expect(linked.isWorktree)
    #expect(try same(linked.workDirectory, other))
    #expect(try same(linked.commonDirectory, sandbox.work.appending(".git")))
    #expect(linked.gitDirectory != linked.commonDirectory)
    #expect(try linked.head() == .branch(name: "side", commit: second))

    // All worktrees are seen from each of them, even when the files of one are gone.
    try removeTree(other)
    for repository in [linked, try GitRepository(discoveringFrom: sandbox.work)] {
      let worktrees = try repository.worktrees()
      #expect(worktrees.map(\.name) == [nil, "other"])
      #expect(worktrees.map(\.head.commit) == [first, second])
      #expect(try same(worktrees[0].workDirectory, sandbox.work))
      for worktree in worktrees {
        #expect(try GitRepository(openingGitDirectory: worktree.gitDirectory).head() == worktree.head)
      }
    }
  }

  @Test func submodule() throws {
    let (inner, outer) = (try GitSandbox(), try GitSandbox())
    try inner.write("data.dv", "inner")
    try inner.commitAll()
    try outer.git("submodule", "--quiet", "add", inner.work.string, "sub")
    let commit = try GitObjectID(hex: try outer.commitAll())
    let repository = try GitRepository(discoveringFrom: outer.work.appending("sub"))
    #expect(try same(repository.workDirectory, outer.work.appending("sub")))
    #expect(try same(repository.gitDirectory, outer.work.appending(".git/modules/sub")))
    // Seen from outside it is no directory.
    let whole = try GitRepository(discoveringFrom: outer.work)
    #expect(try whole.entry(at: GitPath("sub"), in: commit)?.kind == .submodule)
    #expect(try PointerWalk(whole).pointers(in: commit).isEmpty)
  }

  @Test func environmentIsHonouredWhenGiven() throws {
    let sandbox = try GitSandbox()
    let elsewhere = sandbox.folder.appending("elsewhere")
    try sandbox.write(elsewhere.appending("file"), [])
    let git = sandbox.work.appending(".git")
    let here = try GitRepository(discoveringFrom: elsewhere, gitDirectory: git)
    #expect(try same(here.workDirectory, elsewhere))
    let there = try GitRepository(discoveringFrom: sandbox.folder, gitDirectory: "work/.git", workTree: "elsewhere")
    #expect(try same(there.workDirectory, elsewhere))
  }

  @Test func sha256IsRefusedByName() throws {
    let sandbox = try GitSandbox(initialising: ["--object-format=sha256"])
    let error = #expect(throws: GitError.self) { try GitRepository(discoveringFrom: sandbox.work) }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("sha256") == true)
  }

  /// Extensions that do not change what dv reads are no reason to refuse; others are, by name.
  @Test func extensions() throws {
    let sandbox = try GitSandbox()
    try sandbox.git("config", "core.repositoryFormatVersion", "1")
    try sandbox.git("config", "extensions.worktreeConfig", "true")
    try sandbox.git("config", "extensions.objectFormat", "sha1")
    _ = try GitRepository(discoveringFrom: sandbox.work)
    try sandbox.write(
      sandbox.work.appending(".git/config"),
      Array(
        """
        [core]
          repositoryformatversion = 1
        [extensions]
          refStorage = reftable
        """.utf8))
    let error = #expect(throws: GitError.self) { try GitRepository(discoveringFrom: sandbox.work) }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("refstorage") == true)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a folder away"))
  func anotherUsersIsRefusedWithTheRemedy() throws {
    let sandbox = try GitSandbox()
    for path in [sandbox.work, sandbox.work.appending(".git")] {
      try FileManager.default.setAttributes([.ownerAccountID: 12345], ofItemAtPath: path.string)
    }
    let error = #expect(throws: GitError.self) { try GitRepository(discoveringFrom: sandbox.work) }
    #expect(error?.code == .unowned)
    #expect(error?.message.contains("safe.directory") == true)
    let settings = GitSandbox.home.appending(".gitconfig")
    defer { try? removeTree(settings) }
    for (trusted, opens) in [
      ("/elsewhere", false), (sandbox.work.string, true), ("*", true), ("*\n\tdirectory =", false),
    ] {
      try sandbox.write(settings, Array("[safe]\n\tdirectory = \(trusted)\n".utf8))
      let repository = try? GitRepository(discoveringFrom: sandbox.work)
      #expect((repository != nil) == opens, "\(trusted)")
    }
  }

  @Test func ignoredPaths() throws {
    let sandbox = try GitSandbox()
    try sandbox.write(".gitignore", "*.log\nbuild/\n!keep.log\n")
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    #expect(try repository.isIgnored(GitPath("a/b.log")))
    #expect(try !repository.isIgnored(GitPath("keep.log")))
    #expect(try repository.isIgnored(GitPath("build"), isDirectory: true))
    #expect(try !repository.isIgnored(GitPath("build")))
    #expect(try repository.isIgnored(GitPath("build/x")))
    #expect(try !repository.isIgnored(.root))
  }

  @Test func pathsAreChecked() throws {
    for wrong in ["/a", "a/", "a//b", ".", "a/../b", "a\0b"] {
      #expect(throws: GitError.self) { try GitPath(wrong) }
    }
    #expect(try GitPath("a/b").isInside(GitPath("a")))
    #expect(try !GitPath("ab").isInside(GitPath("a")))
    #expect(try GitPath("a/b.dv").isPointerName)
    #expect(try !GitPath("a/.dv").isPointerName)
  }
}
