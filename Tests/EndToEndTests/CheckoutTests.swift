import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv checkout`: delivers versions, and never takes what only the user has.
@Suite struct CheckoutTests {
  @Test func followsBranches() throws {
    let sandbox = try Sandbox()
    for name in ["a", "b", "old"] { try sandbox.write("1 \(name)", to: "data/\(name)") }
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("one")
    let one = try sandbox.snapshot("data")
    try sandbox.git("checkout", "-q", "-b", "two").succeed()
    try sandbox.write("2 a", to: "data/a")
    try sandbox.write("2 new", to: "data/new")
    try sandbox.path("data/old").removeFile()
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("two")
    let two = try sandbox.snapshot("data")
    for (branch, wanted) in [("main", one), ("two", two), ("main~0", one)] {
      try sandbox.git("checkout", "-q", Sandbox.Argument(branch)).succeed()
      try sandbox.dv("checkout").succeed()
      #expect(try sandbox.snapshot("data") == wanted)
      try sandbox.dv("status", "--exit-code").succeed()
    }
  }

  /// What cannot be read is no cache that is absent: only it tells which files dv put there.
  @Test func leavesNothingBehindForWantOfItsCache() throws {
    let sandbox = try Sandbox()
    try sandbox.write("1", to: "data/file")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("one")
    try sandbox.write("2", to: "data/new")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("two")
    try sandbox.git("checkout", "-q", "HEAD~").succeed()
    let caches = sandbox.path(".git/dv/stat")
    let names = try caches.listDirectory()
    let index = try #require(names.indices.first { names.name(at: $0).count == 64 })
    let cache = caches.appending(name: names.name(at: index))
    let content = try cache.readAll(limit: 1 << 20)
    try cache.removeFile()
    try cache.createDirectories()
    let outcome = try sandbox.dv("checkout").exit(2)
    #expect(outcome.errorText.contains("Cannot tell what dv put at 'data'") && outcome.errorText.contains(cache.string))
    #expect(try sandbox.exists("data/new"))
    try cache.removeDirectory()
    try cache.replaceContent(with: content.span)
    try sandbox.dv("checkout").succeed()
    #expect(try !sandbox.exists("data/new"))
    try sandbox.dv("status", "--exit-code").succeed()
  }

  /// Work would be lost: nothing at all is changed, all paths are named, and force is asked for.
  @Test func doesNotOverwriteWork() throws {
    let sandbox = try Sandbox()
    try sandbox.write("1", to: "data/file")
    try sandbox.write("1", to: "other")
    try sandbox.dv("add", "data", "other").succeed()
    try sandbox.commit("one")
    try sandbox.write("2", to: "data/file")
    try sandbox.write("2", to: "data/late")
    try sandbox.write("2", to: "other")
    try sandbox.dv("add", "data", "other").succeed()
    try sandbox.commit("two")
    try sandbox.git("checkout", "-q", "HEAD~").succeed()
    try sandbox.dv("checkout").succeed()
    try sandbox.write("mine", to: "data/file")
    try sandbox.write("mine too", to: "data/late")
    try sandbox.git("checkout", "-q", "main").succeed()
    let outcome = try sandbox.dv("checkout").exit(7)
    #expect(outcome.errorText.contains("data/file (modified)") && outcome.errorText.contains("data/late (not tracked)"))
    #expect(try sandbox.read("data/file") == "mine")
    #expect(try sandbox.read("other") == "1")
    try sandbox.dv("checkout", "other").succeed()
    #expect(try sandbox.read("other") == "2")
    try sandbox.dv("checkout", "--force").succeed()
    #expect(try sandbox.read("data/file") == "2")
    #expect(try sandbox.read("data/late") == "2")
  }

  /// A change where the versions do not differ stays, as with git.
  @Test func keepsChangesThatAreInNobodysWay() throws {
    let sandbox = try Sandbox()
    for name in ["mine", "theirs"] { try sandbox.write("1", to: "data/\(name)") }
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("one")
    try sandbox.write("2", to: "data/theirs")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("two")
    try sandbox.write("changed", to: "data/mine")
    try sandbox.write("untracked", to: "data/extra")
    try sandbox.git("checkout", "-q", "HEAD~").succeed()
    let outcome = try sandbox.dv("checkout").succeed()
    #expect(outcome.text.contains("changes of yours"))
    #expect(try sandbox.read("data/theirs") == "1")
    #expect(try sandbox.read("data/mine") == "changed")
    #expect(try sandbox.read("data/extra") == "untracked")
  }

  @Test func partsOfADirectory() throws {
    let sandbox = try Sandbox()
    for name in ["a", "b", "sub/c", "sub/d"] { try sandbox.write(name, to: "data/\(name)") }
    try sandbox.dv("add", "data").succeed()
    try sandbox.path("data").removeTree()
    try sandbox.dv("checkout", "data/sub/c", "data/a").succeed()
    #expect(try sandbox.read("data/sub/c") == "sub/c")
    #expect(try sandbox.read("data/a") == "a")
    #expect(try !sandbox.exists("data/b") && !sandbox.exists("data/sub/d"))
    try sandbox.dv("checkout", "d", in: sandbox.path("data/sub")).succeed()
    try sandbox.dv("checkout", "data/nothing").exit(2)
    try sandbox.dv("checkout", "data").succeed()
    try sandbox.dv("status", "--exit-code").succeed()
  }

  // MARK: - Data whose pointer went with another branch

  @Test func removesWhatAnotherBranchLacks() throws {
    let sandbox = try Sandbox()
    try sandbox.git("checkout", "-q", "-b", "with").succeed()
    try sandbox.write("x", to: "deep/data/file")
    try sandbox.write("y", to: "single")
    try sandbox.dv("add", "deep/data", "single").succeed()
    try sandbox.commit("with")
    try sandbox.git("checkout", "-q", "main").succeed()
    let outcome = try sandbox.dv("checkout").succeed()
    #expect(outcome.text.contains("'single' was removed"))
    #expect(try !sandbox.exists("deep") && !sandbox.exists("single"))
    try sandbox.git("checkout", "-q", "with").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("deep/data/file") == "x")
    #expect(try sandbox.read("single") == "y")
  }

  @Test func keepsWhatIsTheUsers() throws {
    let sandbox = try Sandbox()
    try sandbox.git("checkout", "-q", "-b", "with").succeed()
    try sandbox.write("x", to: "modified")
    try sandbox.write("x", to: "directory/modified")
    try sandbox.write("x", to: "directory/unmodified")
    try sandbox.write("x", to: "extra/added")
    try sandbox.dv("add", "modified", "directory", "extra").succeed()
    try sandbox.commit("with")
    try sandbox.write("mine", to: "modified")
    try sandbox.write("mine", to: "directory/modified")
    try sandbox.write("mine", to: "extra/never added")
    try sandbox.write("mine", to: "untouched by dv")
    try sandbox.git("checkout", "-q", "main").succeed()
    let outcome = try sandbox.dv("checkout").succeed()
    #expect(outcome.text.contains("'modified' has no pointer any more and stays"))
    #expect(outcome.text.contains("'directory' has no pointer any more and stays"))
    #expect(try sandbox.read("modified") == "mine")
    #expect(try sandbox.read("directory/modified") == "mine")
    #expect(try sandbox.read("extra/never added") == "mine")
    #expect(try !sandbox.exists("extra/added"))
    #expect(try sandbox.read("untouched by dv") == "mine")
  }

  /// A pointer that was deleted by mistake does not take its data with it.
  @Test func keepsDataOfADeletedPointer() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    try sandbox.path("data.dv").removeFile()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("data") == "x")
    try sandbox.git("checkout", "-q", "data.dv").succeed()
    try sandbox.dv("status", "--exit-code").succeed()
  }

  /// Where the other branch has files of git's own, nothing of them is touched.
  @Test func keepsWhatGitHasThere() throws {
    let sandbox = try Sandbox()
    try sandbox.write("git's", to: "data/file")
    try sandbox.commit("in git")
    try sandbox.git("checkout", "-q", "-b", "with").succeed()
    try sandbox.git("rm", "-r", "-q", "--cached", "data").succeed()
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("in dv")
    try sandbox.git("checkout", "-q", "-f", "main").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("data/file") == "git's")
    #expect(try sandbox.git("status", "--porcelain").text == "")
  }

  // MARK: - Damage

  /// What is damaged or gone is named, and all else is delivered.
  @Test func deliversTheHealthyRest() throws {
    let sandbox = try Sandbox()
    // Random, so that each is a chunk of its own in a pack of its own.
    try sandbox.shell("head -c 200000 /dev/urandom > bad; head -c 200000 /dev/urandom > good")
    let good = try sandbox.snapshot("good")
    try sandbox.dv("add", "bad").succeed()
    let packs = try sandbox.shell("find .git/dv/store/packs -type f").text
    try sandbox.dv("add", "good").succeed()
    try sandbox.path("bad").removeFile()
    try sandbox.path("good").removeFile()
    let pack = String(packs.split(separator: "\n")[0])
    try sandbox.shell("chmod u+w '\(pack)'; printf 'x' | dd of='\(pack)' bs=1 seek=100000 conv=notrunc 2>/dev/null")
    let damaged = try sandbox.dv("checkout").exit(4)
    #expect(damaged.errorText.contains("'bad'"), "\(damaged.errorText)")
    #expect(try sandbox.snapshot("good") == good)
    #expect(try !sandbox.exists("bad"))
    try sandbox.shell("rm '\(pack)'")
    let missing = try sandbox.dv("checkout", "--json").exit(3)
    let failed = try #require(try missing.json["failed"] as? [[String: Any]])
    #expect(failed.map { $0["path"] as? String } == ["bad"])
  }

  @Test func worksOnUnbornAndDetachedHead() throws {
    let sandbox = try Sandbox(initialised: false)
    try sandbox.dv("init").succeed()
    try sandbox.write("x", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.path("data").removeFile()
    try sandbox.dv("checkout").succeed()
    try sandbox.commit()
    try sandbox.git("checkout", "-q", "--detach").succeed()
    try sandbox.write("y", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.dv("status", "--exit-code").succeed()
  }
}
