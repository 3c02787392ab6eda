import DVGit
import DVTesting
import Foundation
import SystemPackage
import Testing

@Suite struct GitIndexTests {
  @Test func stagesAndUnstages() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("data/a.dv", "a")
    try sandbox.write("b.dv", "b")
    try sandbox.write("code.py", "")
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    try repository.stage(adding: [GitPath("data/a.dv"), GitPath("b.dv"), GitPath("code.py")])
    #expect(try sandbox.git("diff", "--cached", "--name-only") == "b.dv\ncode.py\ndata/a.dv")
    #expect(try sandbox.git("status", "--porcelain") == "A  b.dv\nA  code.py\nA  data/a.dv")
    let index = try repository.index()
    #expect(index.pointers.map(\.path.description) == ["b.dv", "data/a.dv"])
    #expect(index.pointers[0].id.hex == (try sandbox.git("hash-object", "b.dv")))
    #expect(index.pointers[0].kind == .file)

    try sandbox.commitAll()
    try repository.stage(adding: [], removing: [GitPath("b.dv"), GitPath("never.dv")])
    #expect(try sandbox.git("diff", "--cached", "--name-status") == "D\tb.dv")
    #expect(leftovers(repository) == [])
  }

  /// What another process staged after this one opened the repository is kept.
  @Test(arguments: [false, true])
  func othersChangesAreKept(wasRead: Bool) throws {
    let sandbox = try GitSandbox()
    try sandbox.write("code.py", "")
    try sandbox.commitAll()
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    let index = try wasRead ? repository.indexToUpdate() : repository.index()
    try sandbox.write("other", "x")
    try sandbox.write("mine.dv", "x")
    try sandbox.git("add", "other")
    try repository.stage(adding: [GitPath("mine.dv")], with: index)
    #expect(try sandbox.git("diff", "--cached", "--name-only") == "mine.dv\nother")
    #expect(leftovers(repository) == [])
  }

  /// An index that was read before an update answers as any other, leaves nothing, and is written whole.
  @Test func anIndexIsReadForItsUpdate() throws {
    let sandbox = try GitSandbox()
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    // Without an index there is nothing to go on with.
    #expect(try repository.indexToUpdate().entries(under: .root).isEmpty)
    for number in 0..<50 { try sandbox.write("f\(number)", "\(number)") }
    try sandbox.commitAll()
    for round in 0..<3 {
      let index = try repository.indexToUpdate()
      #expect(leftovers(repository) == [])
      #expect(index.entries(under: .root).count == 50 + round)
      try sandbox.write("new\(round).dv", "x")
      try repository.stage(adding: [GitPath("new\(round).dv")], with: index)
      #expect(leftovers(repository) == [])
    }
    #expect(try sandbox.git("diff", "--cached", "--name-only") == "new0.dv\nnew1.dv\nnew2.dv")
    #expect(try sandbox.git("fsck") == "")
    #expect(try sandbox.git("ls-files").split(separator: "\n").count == 53)
  }

  /// What a process left that was killed while it read or wrote an index goes with the next update.
  @Test func secondNamesOfTheDeadGo() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("a.dv", "a")
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    for name in ["index.dv", "index.dv.lock", "index.dv-1f", "index.dv-2a.lock"] {
      try sandbox.write(sandbox.work.appending(".git").appending(name), [1])
    }
    try repository.stage(adding: [GitPath("a.dv")], with: try repository.indexToUpdate())
    #expect(leftovers(repository) == [])
    #expect(try sandbox.git("status", "--porcelain") == "A  a.dv")
  }

  /// An entry as young as the index must not be taken for unchanged after dv wrote the index again.
  @Test(arguments: [false, true])
  func racyEntriesStayRacy(wasRead: Bool) throws {
    let sandbox = try GitSandbox()
    try sandbox.write("racy", "one")
    try sandbox.write("mine.dv", "x")
    try sandbox.git("add", "racy")
    // The same size and, with the time set back, the same stat data as in the index.
    let file = sandbox.work.appending("racy").string
    let time = try #require(try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date)
    try sandbox.write("racy", "two")
    try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: file)
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    try repository.stage(adding: [GitPath("mine.dv")], with: wasRead ? try repository.indexToUpdate() : nil)
    #expect(try sandbox.git("diff", "--name-only") == "racy")
  }

  @Test func withoutWriteNothingChanges() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("a.dv", "a")
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    do {
      let update = try repository.beginIndexUpdate()
      try update.add(GitPath("a.dv"))
      #expect(leftovers(repository).contains("index.lock"))
    }
    #expect(leftovers(repository) == [])
    #expect(try sandbox.git("status", "--porcelain") == "?? a.dv")
    let error = #expect(throws: GitError.self) { try repository.stage(adding: [GitPath("absent")]) }
    #expect(error?.code == .notFound)
    #expect(leftovers(repository) == [])
  }

  @Test func aHeldLockIsNamed() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("a.dv", "a")
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    let lock = sandbox.work.appending(".git/index.lock")
    try sandbox.write(lock, [])
    let error = #expect(throws: GitError.self) { try repository.stage(adding: [GitPath("a.dv")]) }
    #expect(error?.code == .busy)
    #expect(error?.message.contains("index.lock") == true)
    // The lock is another's: it must not go. Once it is gone, staging works.
    #expect(try same(lock, lock))
    try removeTree(lock)
    try repository.stage(adding: [GitPath("a.dv")])
  }

  /// A lock that a killed dv left goes; one that a living dv holds, or anybody else, stays.
  @Test func theLockOfADeadProcessGoes() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("a.dv", "a")
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    let lock = sandbox.work.appending(".git/index.lock")
    try sandbox.write(lock, Array("dv-lock 1\n".utf8))
    try repository.stage(adding: [GitPath("a.dv")])
    #expect(leftovers(repository) == [])
    try sandbox.write(lock, Array("dv-lock 1\n".utf8))
    let living = try FileDescriptor.open(lock, .readOnly)
    #expect(flock(living.rawValue, LOCK_EX | LOCK_NB) == 0)
    #expect(throws: GitError.self) { try repository.stage(adding: [GitPath("a.dv")]) }
    try living.close()
    try repository.stage(adding: [GitPath("a.dv")])
    // dv's own says the same of itself.
    do {
      let update = try repository.beginIndexUpdate()
      #expect(throws: GitError.self) { try GitRepository(discoveringFrom: sandbox.work).beginIndexUpdate() }
      try update.write()
    }
    #expect(leftovers(repository) == [])
  }

  @Test func aLockThatGoesIsWaitedFor() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("a.dv", "a")
    let lock = sandbox.work.appending(".git/index.lock")
    try sandbox.write(lock, [])
    // A thread and not a task: waiting blocks, and may block all threads that run tasks.
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: 0.3)
      try? removeTree(lock)
    }
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    try repository.stage(adding: [GitPath("a.dv")])
    #expect(try sandbox.git("status", "--porcelain") == "A  a.dv")
  }

  @Test func conflicts() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("a.dv", "base")
    let base = try sandbox.commitAll()
    try sandbox.write("a.dv", "ours")
    try sandbox.commitAll()
    try sandbox.git("checkout", "--quiet", "-b", "side", base)
    try sandbox.write("a.dv", "theirs")
    try sandbox.commitAll()
    try sandbox.git("checkout", "--quiet", "main")
    #expect(throws: GitSandbox.Failure.self) { try sandbox.git("merge", "--quiet", "side") }
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    let index = try repository.index()
    #expect(index.hasConflicts)
    #expect(index.pointers.map(\.stage) == [1, 2, 3])
    #expect(index.entry(at: try GitPath("a.dv")) == nil)
    let conflict = try #require(try index.conflict(at: GitPath("a.dv")))
    let sides = try [conflict.base, conflict.ours, conflict.theirs].map {
      try repository.readBlob(try #require($0), limit: 9)
    }
    #expect(sides == ["base", "ours", "theirs"].map { Array($0.utf8) })
    #expect(try index.conflict(at: GitPath("none.dv")) == nil)
    try repository.stage(adding: [GitPath("a.dv")])
    #expect(try !repository.index().hasConflicts)
    try sandbox.git("commit", "--quiet", "--no-edit")
  }

  @Test func flagsAndPrefixes() throws {
    let sandbox = try GitSandbox()
    for path in ["data/a", "data/b/c", "data.csv", "data-x", "database"] { try sandbox.write(path, path) }
    try sandbox.commitAll()
    try sandbox.write("later.dv", "x")
    try sandbox.git("add", "--intent-to-add", "later.dv")
    let index = try GitRepository(discoveringFrom: sandbox.work).index()
    #expect(index.entries(under: try GitPath("data")).map(\.path.description) == ["data/a", "data/b/c"])
    #expect(index.entries(under: try GitPath("data.csv")).map(\.path.description) == ["data.csv"])
    #expect(index.entries(under: try GitPath("dat")).isEmpty)
    #expect(index.entries(under: .root).count == 6)
    #expect(index.pointers.map(\.isIntentToAdd) == [true])
  }

  @Test func pathsAreBytes() throws {
    let sandbox = try GitSandbox()
    let name: [UInt8] = [0xff, 0xfe] + Array(".dv".utf8)
    let component = try #require(FilePath.Component(platformString: name.map { CChar(bitPattern: $0) } + [0]))
    try sandbox.write(sandbox.work.appending(component), [1])
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    try repository.stage(adding: [GitPath(name)])
    #expect(try repository.index().pointers.map(\.path.bytes) == [name])
    #expect(try sandbox.git("ls-files") == #""\377\376.dv""#)
  }

  /// In a linked worktree it is that worktree's index.
  @Test func worktreesHaveTheirOwn() throws {
    let sandbox = try GitSandbox()
    try sandbox.commitAll()
    let other = sandbox.folder.appending("other")
    try sandbox.git("worktree", "add", "--quiet", "--detach", other.string)
    try sandbox.write(other.appending("a.dv"), [1])
    try GitRepository(discoveringFrom: other).stage(adding: [GitPath("a.dv")])
    #expect(try sandbox.git("status", "--porcelain", in: other) == "A  a.dv")
    #expect(try sandbox.git("status", "--porcelain") == "")
  }

  @Test func aSplitIndexIsRefusedWithTheRemedy() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("a.dv", "a")
    try sandbox.commitAll()
    try sandbox.git("update-index", "--split-index")
    let error = #expect(throws: GitError.self) { try GitRepository(discoveringFrom: sandbox.work).index() }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("--no-split-index") == true)
    try sandbox.git("update-index", "--no-split-index")
    #expect(try GitRepository(discoveringFrom: sandbox.work).index().pointers.count == 1)
  }

  /// What a dv left that was killed goes, also if nothing is to be staged; what is git's, or of one that lives, stays.
  @Test func aDeadLockGoes() throws {
    let sandbox = try GitSandbox()
    try sandbox.write("a.dv", "a")
    try sandbox.commitAll()
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    for (content, goes) in [("dv-lock 1\n", true), ("", false), ("dv-lock 2\n", false), ("dv-lock 1\n\n", false)] {
      try sandbox.write(".git/index.lock", content)
      repository.removeAbandonedIndexLock()
      #expect(leftovers(repository).isEmpty == goes)
    }
    try FileManager.default.removeItem(atPath: sandbox.work.appending(".git/index.lock").string)
    let update = try repository.beginIndexUpdate()
    repository.removeAbandonedIndexLock()
    #expect(leftovers(repository).contains("index.lock"))
    try update.write()
    #expect(leftovers(repository).isEmpty)
    // A dead one stops nobody.
    try sandbox.write(".git/index.lock", "dv-lock 1\n")
    try sandbox.write("b.dv", "b")
    try repository.stage(adding: [GitPath("b.dv")])
    #expect(leftovers(repository).isEmpty)
  }

  private func leftovers(_ repository: GitRepository) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: repository.gitDirectory.string)) ?? []
    return names.filter { $0.hasPrefix("index.") }
  }
}
