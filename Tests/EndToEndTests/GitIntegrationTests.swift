import DVFile
import Foundation
import SystemPackage
import Testing

/// dv and the real git: diffs, merges, rebases, worktrees and hooks.
@Suite struct GitIntegrationTests {
  /// A repository with a committed dataset.
  private func tracked(hooks: Bool = false) throws -> Sandbox {
    let sandbox = try Sandbox()
    if hooks { try sandbox.dv("init", "--hooks").succeed() }
    for name in ["a", "b", "c", "sub/d", "sub/e"] { try sandbox.write("content of \(name)", to: "data/\(name)") }
    try sandbox.write("weights", to: "model.bin")
    try sandbox.dv("add", "data", "model.bin").succeed()
    try sandbox.commit("base")
    return sandbox
  }

  /// Makes a branch from `start` whose data the script changes.
  private func branch(_ name: String, from start: String = "main", in sandbox: Sandbox, _ script: String) throws {
    try sandbox.git("checkout", "--quiet", "-b", .init(name), .init(start)).succeed()
    try sandbox.dv("checkout").succeed()
    try sandbox.shell(script)
    try sandbox.dv("add", "data", "model.bin").succeed()
    try sandbox.commit(name)
  }

  // MARK: Settings

  @Test func registersDriversOnceAndQuietly() throws {
    let sandbox = try Sandbox(initialised: false)
    #expect(try sandbox.dv("init").succeed().errorText.contains("merge.dv"))
    #expect(try sandbox.dv("init").succeed().errorText.isEmpty)
    #expect(try sandbox.git("config", "diff.dv.textconv").succeed().text == "dv git-driver textconv\n")
    #expect(try sandbox.git("config", "merge.dv.driver").succeed().text == "dv git-driver merge %O %A %B %L %P\n")
    // Where a shell finds no dv, its place is written, quoted.
    try sandbox.dv("init", environment: ["PATH": "/usr/bin:/bin"]).succeed()
    let path = Sandbox.program.string
    #expect(try sandbox.git("config", "diff.dv.textconv").succeed().text == "'\(path)' git-driver textconv\n")
    // A driver of the user's own stays.
    try sandbox.git("config", "diff.dv.textconv", "cat").succeed()
    #expect(try sandbox.dv("init").succeed().errorText.isEmpty)
    #expect(try sandbox.git("config", "diff.dv.textconv").succeed().text == "cat\n")
  }

  // MARK: Diffs

  @Test func gitShowsWhichFilesChanged() throws {
    let sandbox = try tracked()
    try sandbox.write("other", to: "data/sub/d")
    try sandbox.dv("add", "data").succeed()
    let text = try sandbox.git("diff", "--cached").succeed().text
    #expect(text.contains("+file d9298a10d1b0 5 sub/d"), "\(text)")
    #expect(text.contains("-size 68\n") && text.contains("+size 57\n"), "\(text)")
    try sandbox.commit("two")
    #expect(try sandbox.git("log", "-p", "-1").succeed().text.contains(" 5 sub/d"))
    // A clone without the objects still has a diff.
    try sandbox.git("clone", "-q", ".", "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    #expect(try sandbox.git("log", "-p", "-1", in: clone).succeed().text.contains("+oid sha256:"))
    try sandbox.dv("init", in: clone).succeed()
    #expect(try sandbox.git("log", "-p", "-1", in: clone).succeed().text.contains("'dv fetch' gets them"))
  }

  @Test func textOfWhatIsNoPointer() throws {
    let sandbox = try tracked()
    try sandbox.write("no pointer\n", to: "x.dv")
    #expect(try sandbox.dv("git-driver", "textconv", "x.dv").succeed().text == "no pointer\n")
    let large = String(repeating: "line\n", count: 1_000_000)
    try sandbox.write(large, to: "y.dv")
    #expect(try sandbox.dv("git-driver", "textconv", "y.dv").succeed().text == large)
    #expect(try sandbox.dv("git-driver", "textconv", "model.bin.dv").succeed().text == sandbox.read("model.bin.dv"))
    // Names are data: none of them acts on a terminal or looks like another line.
    try sandbox.write(Array("x".utf8), to: sandbox.path(Array("data/evil\u{1b}[31m\nfile 0 0 forged".utf8)))
    try sandbox.dv("add", "data").succeed()
    let text = try sandbox.dv("git-driver", "textconv", "data.dv").succeed().text
    #expect(text.contains("evil\\x1B[31m\\nfile 0 0 forged\n") && !text.contains("\u{1b}"))
  }

  // MARK: Merges

  @Test func mergesChangesOfDifferentFiles() throws {
    let sandbox = try tracked()
    try branch(
      "left", in: sandbox, "echo left >> data/a; rm data/b; mkdir data/new; echo n > data/new/n; chmod +x data/c")
    try branch(
      "right", in: sandbox, "echo right >> data/sub/d; rm data/sub/e; echo right >> data/c; chmod +x model.bin")
    try sandbox.git("merge", "--quiet", "--no-edit", "left").succeed()
    try sandbox.dv("checkout").succeed()
    try sandbox.dv("status", "--exit-code").succeed()
    #expect(try sandbox.shell("cd data; find . -type f | sort").succeed().text == "./a\n./c\n./new/n\n./sub/d\n")
    #expect(try sandbox.read("data/a") == "content of aleft\n" && sandbox.read("data/c") == "content of cright\n")
    #expect(try sandbox.path("data/c").fileStat()?.isExecutable == true)
    // The merged pointer is the one that adding the merged files makes.
    let merged = try sandbox.read("data.dv")
    try sandbox.shell("rm -rf .git/dv/stat")
    try sandbox.dv("add", "data").succeed()
    #expect(try sandbox.read("data.dv") == merged)
    #expect(merged.contains("files 4\n"))
  }

  @Test func conflictsStayConflicts() throws {
    let sandbox = try tracked()
    try branch("left", in: sandbox, "echo left >> data/a; rm data/b; echo left > model.bin; echo l > data/sub/e")
    try branch("right", in: sandbox, "echo right >> data/a; echo right >> data/b; echo right > model.bin")
    let merge = try sandbox.git("merge", "--quiet", "left").exit(1)
    let said = merge.errorText + merge.text
    for part in [
      "'data.dv': 2 files changed on both sides", "data/a (both modified)", "data/b (modified by us, removed by them)",
      "'model.bin.dv': both sides changed the file", "git checkout --ours",
    ] {
      #expect(said.contains(part), "\(said)")
    }
    let pointer = try sandbox.read("data.dv")
    #expect(pointer.hasPrefix("<<<<<<< ours\ndv-pointer 1\n") && pointer.hasSuffix(">>>>>>> theirs\n"))
    #expect(try sandbox.git("status", "--short").succeed().text == "UU data.dv\nUU model.bin.dv\n")
    #expect(try sandbox.dv("status").succeed().text.contains("conflict"))
    // One side, or data of one's own.
    try sandbox.git("checkout", "--theirs", "data.dv").succeed()
    try sandbox.git("add", "data.dv").succeed()
    try sandbox.write("solved", to: "model.bin")
    try sandbox.dv("add", "model.bin").succeed()
    try sandbox.dv("checkout").succeed()
    try sandbox.git("commit", "--quiet", "--message", "merged").succeed()
    #expect(try sandbox.read("data/a") == "content of aleft\n" && !sandbox.exists("data/b"))
    try sandbox.dv("status", "--exit-code").succeed()
  }

  @Test func outputsOfRunsAreNotMerged() throws {
    let sandbox = try tracked()
    let runs = ["1", "2"].map { "sha256:" + String(repeating: $0, count: 64) }
    try branch("left", in: sandbox, "echo left >> data/a; echo same > model.bin")
    try sandbox.shell(
      "printf 'run \(runs[0])\\n' >> data.dv; printf 'run \(runs[1])\\n' >> model.bin.dv; git commit -qam run")
    try branch("right", in: sandbox, "echo right >> data/b; echo same > model.bin")
    try sandbox.shell("printf 'run \(runs[0])\\n' >> model.bin.dv; git commit -qam run")
    #expect(try sandbox.git("merge", "--quiet", "left").exit(1).errorText.contains("dv repro"))
    #expect(try sandbox.git("status", "--short").succeed().text == "UU data.dv\n")
    #expect(try sandbox.read("model.bin.dv").hasSuffix("run \(runs[0])\n"))
  }

  @Test func mergesWhatBothAdded() throws {
    let sandbox = try Sandbox()
    for (branch, file) in [("left", "l"), ("right", "r")] {
      try sandbox.git("checkout", "--quiet", "-b", .init(branch), "main").succeed()
      try sandbox.shell("rm -rf data; mkdir data; echo \(file) > data/\(file)")
      try sandbox.dv("add", "data").succeed()
      try sandbox.commit(branch)
    }
    try sandbox.git("merge", "--quiet", "--no-edit", "left").succeed()
    #expect(try sandbox.dv("ls", "data").succeed().text == "l\nr\n")
  }

  @Test func rebasesAndPicks() throws {
    let sandbox = try tracked()
    try branch("upstream", in: sandbox, "echo up > data/up")
    try branch("topic", in: sandbox, "echo one > data/one")
    try sandbox.shell("echo two > data/two; rm data/c")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("topic 2")
    try sandbox.git("rebase", "--quiet", "upstream").succeed()
    #expect(try sandbox.dv("ls", "data").succeed().text == "a\nb\none\nsub/\ntwo\nup\n")
    try sandbox.git("checkout", "--quiet", "main").succeed()
    try sandbox.git("cherry-pick", "topic").succeed()
    #expect(try sandbox.dv("ls", "data").succeed().text == "a\nb\nsub/\ntwo\n")
    try sandbox.git("revert", "--no-edit", "HEAD").succeed()
    #expect(try sandbox.dv("ls", "data").succeed().text == "a\nb\nc\nsub/\n")
  }

  /// A clone that never ran dv has git's own conflict, and nothing worse.
  @Test func withoutDriversGitConflicts() throws {
    let sandbox = try tracked()
    try branch("left", in: sandbox, "echo left >> data/a")
    try branch("right", in: sandbox, "echo right >> data/b")
    try sandbox.git("clone", "-q", ".", "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    try sandbox.git("merge", "--quiet", "origin/left", in: clone).exit(1)
    #expect(try sandbox.git("status", "--short", in: clone).succeed().text == "UU data.dv\n")
    #expect(try sandbox.dv("status", in: clone).succeed().text.contains("conflict"))
  }

  /// Only nodes are needed for a merge, and they may come from the remote; without them it is a conflict.
  @Test func mergesInAClone() throws {
    let sandbox = try tracked()
    let remote = sandbox.folder.appending("remote")
    try remote.createDirectories()
    try sandbox.dv("remote", "add", "origin", .init(remote)).succeed()
    try sandbox.commit("remote")
    try branch("left", in: sandbox, "echo left >> data/a")
    try branch("right", in: sandbox, "echo right >> data/b")
    try sandbox.git("clone", "-q", ".", "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    try sandbox.dv("init", in: clone).succeed()
    let merge = try sandbox.git("merge", "--quiet", "--no-edit", "origin/left", in: clone).exit(1)
    #expect(merge.errorText.contains("dv fetch"), "\(merge.errorText)")
    try sandbox.git("merge", "--abort", in: clone).succeed()
    try sandbox.dv("push", "--all").succeed()
    try sandbox.git("merge", "--quiet", "--no-edit", "origin/left", in: clone).succeed()
    try sandbox.dv("pull", in: clone).exit(0)
    #expect(try clone.appending("data/a").readAll(limit: 100) == Array("content of aleft\n".utf8))
    #expect(try clone.appending("data/b").readAll(limit: 100) == Array("content of bright\n".utf8))
  }

  // MARK: Hooks

  @Test func dataFollowsItsPointers() throws {
    let sandbox = try tracked(hooks: true)
    try branch("left", in: sandbox, "echo left >> data/a; rm data/c; echo x > extra; dv add -q extra")
    try sandbox.git("checkout", "--quiet", "main").succeed()
    #expect(try sandbox.read("data/a") == "content of a" && sandbox.exists("data/c") && !sandbox.exists("extra"))
    try branch("right", in: sandbox, "echo right >> data/b")
    try sandbox.git("merge", "--quiet", "--no-edit", "left").succeed()
    #expect(try sandbox.read("data/a") == "content of aleft\n" && sandbox.read("data/b") == "content of bright\n")
    try sandbox.dv("status", "--exit-code").succeed()
    try sandbox.git("checkout", "--quiet", "HEAD~1", "--", "data.dv").succeed()
    #expect(try sandbox.read("data/a") == "content of a")
    try sandbox.git("checkout", "--quiet", "HEAD", "--", "data.dv").succeed()
    try branch("topic", from: "main", in: sandbox, "echo topic > data/topic")
    try sandbox.git("rebase", "--quiet", "right").succeed()
    #expect(try sandbox.read("data/topic") == "topic\n" && sandbox.read("data/a") == "content of aleft\n")
    // A new worktree gets its data.
    try sandbox.git("worktree", "add", "--quiet", "../tree", "left").succeed()
    #expect(try sandbox.folder.appending("tree/data/a").readAll(limit: 100) == Array("content of aleft\n".utf8))
  }

  /// A hook never fails git, and never overwrites work.
  @Test func hooksKeepWork() throws {
    let sandbox = try tracked(hooks: true)
    try branch("left", in: sandbox, "echo left >> data/a")
    try sandbox.write("mine", to: "data/a")
    let checkout = try sandbox.git("checkout", "--quiet", "main").succeed()
    #expect(checkout.errorText.contains("'data' was modified and stays"))
    #expect(try sandbox.read("data/a") == "mine")
    try sandbox.dv("checkout", "--force").succeed()
    try sandbox.shell("rm -rf .git/dv/store")
    let absent = try sandbox.git("checkout", "--quiet", "left").succeed()
    #expect(absent.errorText.contains("dv pull"))
    #expect(try sandbox.read("data/a") == "content of a")
    // Without a program dv, git goes on too.
    try sandbox.shell("PATH=/usr/bin:/bin git checkout -q main")
  }

  @Test func hooksOfTheUserStillRun() throws {
    let sandbox = try Sandbox()
    let hook = sandbox.path(".git/hooks/post-checkout")
    try sandbox.write("#!/bin/sh\necho \"mine $3\" >> hook-log\nexit 3\n", to: hook, mode: [.ownerReadWriteExecute])
    #expect(try sandbox.dv("init", "--hooks").succeed().text.contains("still runs: post-checkout"))
    #expect(try sandbox.dv("init", "--hooks").succeed().text.contains("already"))
    try sandbox.git("checkout", "--quiet", "-b", "other").exit(1)
    #expect(try sandbox.read("hook-log") == "mine 1\n")
    try sandbox.dv("init", "--no-hooks").succeed()
    try sandbox.git("checkout", "--quiet", "main").exit(1)
    #expect(try sandbox.read("hook-log") == "mine 1\nmine 1\n")
    #expect(try sandbox.shell("ls .git/hooks | grep -v sample").succeed().text == "post-checkout\n")
    // Where the repository keeps its hooks elsewhere, there.
    try sandbox.git("config", "core.hooksPath", "my hooks").succeed()
    try sandbox.dv("init", "--hooks").succeed()
    #expect(try sandbox.exists("my hooks/pre-push"))
    try sandbox.git("checkout", "--quiet", "other").succeed()
    // Never where all repositories of a user have theirs.
    try sandbox.git("config", "--unset", "core.hooksPath").succeed()
    try sandbox.git("config", "--global", "core.hooksPath", "/nowhere").succeed()
    try sandbox.dv("init", "--hooks").exit(2)
  }

  @Test func pushesDataBeforeGitDoes() throws {
    let sandbox = try tracked(hooks: true)
    try sandbox.git("init", "--quiet", "--bare", "--initial-branch=main", "../upstream").succeed()
    try sandbox.git("remote", "add", "origin", "../upstream").succeed()
    // Without a place for the data, git stops.
    let stopped = try sandbox.git("push", "--quiet", "origin", "main").exit(1)
    #expect(stopped.errorText.contains("dv remote add") && stopped.errorText.contains("DV_SKIP_PUSH=1"))
    try sandbox.run(["git", "push", "--quiet", "origin", "main"], environment: ["DV_SKIP_PUSH": "1"]).succeed()
    let remote = sandbox.folder.appending("remote")
    try remote.createDirectories()
    try sandbox.dv("remote", "add", "origin", .init(remote)).succeed()
    try sandbox.write("second", to: "model.bin")
    try sandbox.dv("add", "model.bin").succeed()
    try sandbox.commit("second")
    try sandbox.write("third", to: "model.bin")
    try sandbox.dv("add", "model.bin").succeed()
    try sandbox.commit("third")
    #expect(try sandbox.git("push", "--quiet", "origin", "main").succeed().errorText.contains("dv: Pushed"))
    // Every version that was pushed is there, and what an earlier push left out too.
    try sandbox.git("clone", "--quiet", "../upstream", "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    #expect(try sandbox.dv("cat", "model.bin", in: clone).succeed().text == "third")
    #expect(try sandbox.dv("cat", "HEAD~1:model.bin", in: clone).succeed().text == "second")
    #expect(try sandbox.dv("cat", "data/a", in: clone).succeed().text == "content of a")
    // A remote that is gone stops git; what brings no data does not ask for it.
    try sandbox.shell("mv ../remote ../away")
    try sandbox.git("push", "--quiet", "origin", "main:same").succeed()
    try sandbox.git("push", "--quiet", "origin", ":same").succeed()
    try sandbox.write("fourth", to: "model.bin")
    try sandbox.dv("add", "model.bin").succeed()
    try sandbox.commit("fourth")
    try sandbox.git("push", "--quiet", "origin", "main").exit(1)
    try sandbox.git("push", "--quiet", "--no-verify", "origin", "main").succeed()
  }

  // MARK: Other ways to work with git

  @Test func worktreesShareWhatIsStored() throws {
    let sandbox = try tracked()
    try sandbox.git("worktree", "add", "--quiet", "-b", "side", "../tree").succeed()
    let tree = sandbox.folder.appending("tree")
    try sandbox.dv("checkout", in: tree).succeed()
    try sandbox.shell("echo side > data/side", in: tree)
    try sandbox.dv("add", "data", in: tree).succeed()
    try sandbox.commit("side", in: tree)
    try sandbox.write("main", to: "data/main")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("main")
    try sandbox.git("merge", "--quiet", "--no-edit", "main", in: tree).succeed()
    try sandbox.dv("checkout", in: tree).succeed()
    #expect(try sandbox.dv("ls", "data", in: tree).succeed().text == "a\nb\nc\nmain\nside\nsub/\n")
    #expect(try sandbox.dv("ls", "side:data").succeed().text.contains("main\nside\n"))
    try sandbox.dv("status", "--exit-code").succeed()
    try sandbox.dv("status", "--exit-code", in: tree).succeed()
  }

  @Test func worksInASubmodule() throws {
    let sandbox = try tracked()
    try sandbox.git("init", "--quiet", "../outer").succeed()
    let outer = sandbox.folder.appending("outer")
    try sandbox.git("submodule", "--quiet", "add", "../work", "inner", in: outer).succeed()
    let inner = outer.appending("inner")
    try sandbox.shell("mkdir data; echo new > data/new; git rm -q --cached data.dv; rm data.dv", in: inner)
    try sandbox.dv("add", "data", in: inner).succeed()
    #expect(try sandbox.git("diff", "--cached", in: inner).succeed().text.contains(" 4 new"))
    try sandbox.dv("mv", "data", "moved", in: inner).succeed()
    #expect(try sandbox.dv("ls", "moved", in: inner).succeed().text == "new\n")
  }

  @Test func stashKeepsPointers() throws {
    let sandbox = try tracked()
    try sandbox.write("stashed", to: "data/a")
    try sandbox.dv("add", "data").succeed()
    try sandbox.git("stash", "--quiet").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("data/a") == "content of a")
    try sandbox.git("stash", "pop", "--quiet").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("data/a") == "stashed")
  }
}
