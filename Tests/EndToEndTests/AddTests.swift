import DVFile
import DVObject
import Foundation
import SystemPackage
import Testing

/// `dv add`: what it takes, what it refuses, and what it leaves to git.
@Suite struct AddTests {
  /// Whatever a version can hold comes back bit by bit.
  @Test func oddTreeComesBack() throws {
    let sandbox = try Sandbox()
    try sandbox.writeOddTree(at: sandbox.path("data"))
    let before = try sandbox.snapshot("data")
    try sandbox.dv("add", "data").succeed()
    #expect(try sandbox.snapshot("data") == before)
    try sandbox.path("data").removeTree()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.snapshot("data") == before)
    #expect(try sandbox.dv("status", "--exit-code").succeed().text == "All data is what its pointers say.\n")
  }

  /// Targets themselves may have odd names; git ignores them and has their pointers.
  @Test func oddTargetsComeBack() throws {
    let sandbox = try Sandbox()
    let names = Sandbox.oddNames.filter { name in
      name.count <= 252 && !name.contains(UInt8(ascii: "\n")) && name != Array(".gitignore".utf8)
    }
    for name in names { try sandbox.write("of \(name)", to: sandbox.path(name)) }
    let before = try TreeSnapshot(of: sandbox.work.appending("plain"))
    for name in names { try sandbox.dv("add", "--", Sandbox.Argument(name)).succeed() }
    let tracked = try sandbox.git("ls-files", "-z").output.split(separator: 0).map(Array.init)
    for name in names {
      #expect(tracked.contains(name + Array(".dv".utf8)))
      #expect(!tracked.contains(name))
      #expect(try sandbox.git("check-ignore", "-q", "--no-index", "--", Sandbox.Argument(name)).code == 0, "\(name)")
    }
    #expect(try sandbox.git("status", "--porcelain", "--untracked-files=all").text.contains("??") == false)
    for name in names { try sandbox.path(name).removeFile() }
    try sandbox.dv("checkout").succeed()
    for name in names { #expect(try sandbox.path(name).readAll(limit: 4096) == Array("of \(name)".utf8)) }
    #expect(try TreeSnapshot(of: sandbox.work.appending("plain")) == before)
  }

  @Test(arguments: [
    (["new\nline"], "line feed"), ([String(repeating: "x", count: 253)], "too long"), ([".git/config"], "git's own"),
    ([".dv/config"], "dv's own"), (["nothing"], "There is no"), (["."], "whole working tree"),
    (["../outside"], "outside"), (["link"], "symbolic link"), (["pipe"], "pipe"), (["link/inner"], "beyond"),
    (["tracked"], "git rm -r --cached tracked"), (["code"], "git rm -r --cached code"), (["old.dv"], "'old'"),
  ])
  func refusesWhatIsNoData(paths: [String], reason: String) throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "new\nline")
    try sandbox.write("x", to: String(repeating: "x", count: 253))
    try sandbox.write("x", to: "directory/inner")
    try sandbox.write("x", to: "old.dv")
    try sandbox.path("link").createSymlink(to: Array("directory".utf8))
    try sandbox.write("x", to: "tracked")
    try sandbox.write("x", to: "code/main.py")
    try sandbox.git("add", "tracked", "code").succeed()
    try sandbox.commit()
    try sandbox.shell("mkfifo pipe; git rm -q --cached directory/inner old.dv link 'new\nline' x*")
    let before = try sandbox.git("status", "--porcelain").text
    let outcome = try sandbox.run([Sandbox.Argument(Sandbox.program), "add"] + paths.map { Sandbox.Argument($0) }).exit(2)
    #expect(outcome.errorText.contains(reason), "\(outcome.errorText)")
    #expect(try sandbox.git("status", "--porcelain").text == before)
  }

  /// What cannot be part of a version is named by its path, and nothing is added.
  @Test func refusesWhatCannotBeInside() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "data/ok")
    try sandbox.shell("mkfifo data/pipe; ln -s /etc/passwd data/absolute; ln -s ../../x data/leaving")
    try sandbox.write("x", to: "data/nested")
    for (name, script) in [
      ("data/pipe", "rm data/pipe"), ("data/absolute", "rm data/absolute"), ("data/leaving", "rm data/leaving"),
    ] {
      let outcome = try sandbox.dv("add", "data").exit(2)
      #expect(outcome.errorText.contains("'\(name)'"), "\(outcome.errorText)")
      try sandbox.shell(script)
    }
    try sandbox.dv("add", "data/nested").succeed()
    let nested = try sandbox.dv("add", "data").exit(2)
    #expect(nested.errorText.contains("'data/nested.dv'"))
    #expect(try !sandbox.exists("data.dv"))
  }

  @Test func needsAProject() throws {
    let sandbox = try Sandbox(initialised: false)
    try sandbox.write("x", to: "data")
    let outcome = try sandbox.dv("add", "data").exit(2)
    #expect(outcome.errorText.contains("dv init"))
  }

  @Test func reportsWhatWasStored() throws {
    let sandbox = try Sandbox()
    try sandbox.write("12345", to: "a.txt")
    try sandbox.write("12345", to: "data/same")
    let json = try sandbox.dv("add", "--json", "a.txt", "data").succeed().json
    #expect(json["schema"] as? String == "dv.add/1")
    let added = try #require(json["added"] as? [[String: Any]])
    #expect(added.map { $0["path"] as? String } == ["a.txt", "data"])
    #expect(added.map { $0["pointer"] as? String } == ["a.txt.dv", "data.dv"])
    #expect(added.map { $0["kind"] as? String } == ["file", "tree"])
    #expect(added.map { $0["size"] as? Int } == [5, 5])
    #expect(added.map { $0["files"] as? Int } == [1, 1])
    #expect(added[0]["newBytes"] as? Int == 5)
    let sum = try sandbox.run(["sha256sum", "a.txt"]).text.prefix(64)
    #expect(added[0]["oid"] as? String == "sha256:\(sum)")
    // Nothing is new the second time, however it is named.
    let again = try sandbox.dv("add", "--json", "a.txt", "./data/").succeed().json
    for item in try #require(again["added"] as? [[String: Any]]) {
      #expect(item["changed"] as? Bool == false)
      #expect(item["newBytes"] as? Int == 0)
    }
  }

  // MARK: - Parts

  @Test func addsAndRemovesParts() throws {
    let sandbox = try Sandbox()
    for name in ["a", "b", "sub/c"] { try sandbox.write(name, to: "data/\(name)") }
    try sandbox.dv("add", "data").succeed()
    try sandbox.write("changed", to: "data/a")
    try sandbox.write("changed too", to: "data/b")
    try sandbox.write("new", to: "data/sub/deeper/d")
    try sandbox.path("data/sub/c").removeFile()
    try sandbox.dv("add", "data/a", "data/sub/c", "deeper", in: sandbox.work).exit(2)
    try sandbox.dv("add", "data/a", "data/sub/c").succeed()
    #expect(
      try states(sandbox) == [["data/b", "modified"], ["data/sub/deeper/d", "untracked-inside"]])
    // From inside, relative to where one is.
    try sandbox.dv("add", "deeper", in: sandbox.path("data/sub")).succeed()
    #expect(try states(sandbox) == [["data/b", "modified"]])
    try sandbox.dv("add", "data/sub/c").exit(2)
    try sandbox.dv("add", "data").succeed()
    #expect(try states(sandbox) == [])
    #expect(try sandbox.read("data.dv").contains("files 3\n"))
  }

  /// A part made by hand is the same version as the whole: the tree depends on the content alone.
  @Test func partsMakeTheSameTree() throws {
    let sandbox = try Sandbox()
    for name in ["a", "b", "c/d"] { try sandbox.write(name, to: "data/\(name)") }
    try sandbox.dv("add", "data").succeed()
    let whole = try sandbox.read("data.dv")
    try sandbox.write("other", to: "data/b")
    try sandbox.dv("add", "data/b").succeed()
    #expect(try sandbox.read("data.dv") != whole)
    try sandbox.write("b", to: "data/b")
    try sandbox.dv("add", "data/b").succeed()
    #expect(try sandbox.read("data.dv") == whole)
  }

  // MARK: - Kinds, places, runs

  @Test func fileBecomesDirectoryAndBack() throws {
    let sandbox = try Sandbox()
    try sandbox.write("file", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("file")
    try sandbox.path("data").removeFile()
    try sandbox.write("inner", to: "data/inner")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("directory")
    #expect(try sandbox.read("data.dv").contains("kind tree"))
    try sandbox.git("checkout", "-q", "HEAD~").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("data") == "file")
    try sandbox.git("checkout", "-q", "main").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("data/inner") == "inner")
  }

  @Test func readOnlyAndExecutableFiles() throws {
    let sandbox = try Sandbox()
    try sandbox.write("#!/bin/sh\n", to: sandbox.path("tool"), mode: [.ownerReadExecute])
    try sandbox.write("r", to: sandbox.path("data/read-only"), mode: [.ownerRead])
    try sandbox.dv("add", "tool", "data").succeed()
    #expect(try sandbox.read("tool.dv").contains("mode exec\n"))
    try sandbox.shell("chmod -x tool")
    #expect(try states(sandbox) == [["tool", "modified"]])
    try sandbox.dv("checkout", "-f", "tool").succeed()
    #expect(try sandbox.path("tool").fileStat()?.isExecutable == true)
  }

  @Test func worksFromSubdirectoryWorktreeAndSubmodule() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "deep/er/data/file")
    try sandbox.dv("add", "data", in: sandbox.path("deep/er")).succeed()
    try sandbox.dv("-C", "deep", "status", "--exit-code").succeed()
    try sandbox.dv("status", "-C", "deep/er", "--exit-code", "data").succeed()
    try sandbox.commit()

    // Worktrees share the store and have their own stat caches.
    let other = sandbox.folder.appending("other")
    try sandbox.git("worktree", "add", "-q", "--detach", Sandbox.Argument(other)).succeed()
    try sandbox.dv("checkout", in: other).succeed()
    #expect(try other.appending("deep/er/data/file").readAll(limit: 10) == Array("x".utf8))
    try sandbox.write("y", to: other.appending("deep/er/data/file"))
    try sandbox.dv("add", "deep/er/data", in: other).succeed()
    #expect(try states(sandbox) == [])

    // A submodule is a repository of its own.
    try sandbox.git("clone", "-q", ".", "../module").succeed()
    try sandbox.git("submodule", "--quiet", "add", "../module", "sub").succeed()
    try sandbox.write("in module", to: "sub/more")
    let outcome = try sandbox.dv("add", "sub/more").exit(2)
    #expect(outcome.errorText.contains("another git repository"))
    try sandbox.dv("add", "more", in: sandbox.path("sub")).succeed()
    #expect(try sandbox.exists("sub/more.dv"))
    #expect(try sandbox.dv("status", "--json").succeed().text.contains("sub") == false)
  }

  /// The run that made an output is remembered for as long as its bytes are the same.
  @Test func keepsTheRunOfTheSameBytes() throws {
    let sandbox = try Sandbox()
    try sandbox.write("made", to: "out")
    try sandbox.dv("add", "out").succeed()
    let run = "run sha256:\(String(repeating: "ab", count: 32))\n"
    let pointer = try sandbox.read("out.dv")
    try sandbox.write(pointer + run, to: "out.dv")
    try sandbox.shell("touch out")
    try sandbox.dv("add", "out").succeed()
    #expect(try sandbox.read("out.dv") == pointer + run)
    try sandbox.write("by hand", to: "out")
    let outcome = try sandbox.dv("add", "out").succeed()
    #expect(outcome.text.contains("run"))
    #expect(try sandbox.read("out.dv").contains("run ") == false)
  }

  /// Putting the right data in place and adding it resolves a conflict.
  @Test func resolvesAConflict() throws {
    let sandbox = try Sandbox()
    try sandbox.write("base", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("base")
    try sandbox.git("checkout", "-q", "-b", "theirs").succeed()
    try sandbox.write("theirs", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("theirs")
    try sandbox.git("checkout", "-q", "main").succeed()
    try sandbox.write("ours", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("ours")
    #expect(try sandbox.git("-c", "merge.dv.driver=false", "merge", "-q", "theirs").code != 0)
    #expect(try states(sandbox) == [["data", "conflicted"]])
    try sandbox.write("both", to: "data")
    try sandbox.dv("add", "data").succeed()
    #expect(try states(sandbox) == [])
    try sandbox.commit("merge")
  }

  /// A file that is written to while it is added is added as it was at one moment, or not at all.
  @Test func fileThatChangesMeanwhile() throws {
    let sandbox = try Sandbox()
    let file = sandbox.path("log")
    try sandbox.write([UInt8](repeating: 0, count: 3 << 20), to: file)
    let stop = sandbox.folder.appending("stop")
    let writer = Thread {
      guard let descriptor = try? FileDescriptor.open(file, .writeOnly, options: .append) else { return }
      // A bound, should the test be cancelled.
      for round in 0..<1_000_000 where (try? stop.fileStat()) == nil {
        _ = try? descriptor.writeAll([UInt8(truncatingIfNeeded: round)])
      }
      try? descriptor.close()
    }
    writer.start()
    let outcome = try sandbox.dv("add", "log")
    try sandbox.write("", to: stop)
    try file.removeFile()
    if outcome.code == 0 {
      try sandbox.dv("checkout", "log").succeed()
      let content = try file.readAll(limit: 1 << 30)
      let pointer = try sandbox.read("log.dv")
      #expect(pointer.contains("oid \(ObjectID(hashing: content.span).text)\nsize \(content.count)\n"))
    } else {
      #expect(outcome.code == 2)
      #expect(outcome.errorText.contains("'log' kept changing"), "\(outcome.errorText)")
      #expect(try !sandbox.exists("log.dv"))
    }
  }

  @Test func deepDirectories() throws {
    let sandbox = try Sandbox()
    // Longer than any path the kernel takes at once.
    try sandbox.shell(
      """
      mkdir data; cd data
      for i in $(seq 300); do mkdir directory-with-a-name; cd -P directory-with-a-name; done
      echo bottom > file
      """)
    try sandbox.dv("add", "data").succeed()
    try sandbox.dv("status", "--exit-code").succeed()
    try sandbox.path("data").removeTree()
    try sandbox.dv("checkout").succeed()
    try sandbox.dv("status", "--exit-code").succeed()
    #expect(try sandbox.shell("cd data; for i in $(seq 300); do cd -P directory-with-a-name; done; cat file").text == "bottom\n")
  }

  /// A full disk is said so; what was there before still is, and there is no half version.
  @Test func fullDisk() throws {
    let sandbox = try Sandbox()
    let mount = sandbox.folder.appending("small")
    try mount.createDirectories()
    // Only the machine's administrator can mount; elsewhere there is nothing to test.
    guard try sandbox.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", Sandbox.Argument(mount)]).code == 0 else { return }
    defer { _ = try? sandbox.run(["umount", "-l", Sandbox.Argument(mount)]) }
    try sandbox.write("safe", to: "before")
    try sandbox.dv("add", "before").succeed()
    try sandbox.dv("config", "core.store", "\(mount.appending("store").string)").succeed()
    try sandbox.dv("add", "before").succeed()
    try sandbox.shell("head -c 20000000 /dev/urandom > big")
    let outcome = try sandbox.dv("add", "big").exit(2)
    #expect(outcome.errorText.contains("space"), "\(outcome.errorText)")
    #expect(try !sandbox.exists("big.dv"))
    try sandbox.shell("truncate -s 100000 big")
    try sandbox.dv("add", "big").succeed()
    try sandbox.dv("status", "--exit-code").succeed()
  }

  /// Returns path and state of each entry of `dv status`.
  private func states(_ sandbox: Sandbox) throws -> [[String]] {
    let json = try sandbox.dv("status", "--json").succeed().json
    let entries = try #require(json["entries"] as? [[String: Any]])
    return entries.map { [$0["path"] as? String ?? "", $0["state"] as? String ?? ""] }
  }
}
