import DVFile
import DVObject
import DVStore
import DVTesting
@testable import DVWorkspace
import SystemPackage
import Testing

/// What is added comes back bit for bit, and adding what changed gives the version that adding everything gives.
struct RoundTripTests {
  @Test(arguments: 0..<10)
  func checkoutElsewhereIsIdentical(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let place = try await Workplace()
    try place.folder.appending("data").createDirectories()
    try place.change("data", 40, using: &random)
    let first = try await place.add("data")
    let pointer = try #require(first.pointer)
    try await place.checkOut(pointer, to: "copy")
    #expect(try place.snapshot("copy") == place.snapshot("data"))

    // Random edits, added with the cache and from scratch.
    var cache = first.cache
    var versions = [(pointer, try place.snapshot("data"))]
    for _ in 0..<4 {
      try place.change("data", Int.random(in: 1...12, using: &random), using: &random)
      let changed = try await place.add("data", cache: cache, previous: versions.last?.0)
      let scratch = try await place.add("data")
      #expect(changed.pointer == scratch.pointer)
      #expect(changed.filesRead <= scratch.filesRead)
      cache = try #require(StatCache(validating: changed.cache.encoded()))
      versions.append((try #require(changed.pointer), try place.snapshot("data")))
    }
    // Every version comes back over every other, in place, and is clean then.
    var there: StatCache? = cache
    for _ in 0..<8 {
      let (version, expected) = try #require(versions.randomElement(using: &random))
      let report = try await place.checkOut(version, to: "data", cache: there)
      #expect(report.failures.isEmpty)
      #expect(try place.snapshot("data") == expected)
      there = StatCache(validating: report.cache.encoded())
      #expect(try await place.status("data", version, cache: there) == [])
      if Bool.random(using: &random) { there = there?.withoutTrust }
    }
  }

  /// After a checkout nothing needs to be read again.
  @Test func aCheckoutIsTrusted() async throws {
    let place = try await Workplace()
    for index in 0..<50 { try place.write("data/d\(index % 5)/f\(index)", "content \(index)") }
    let added = try await place.add("data")
    let pointer = try #require(added.pointer)
    let new = try await place.checkOut(pointer, to: "copy")
    #expect(try await place.scan("copy").run(cache: new.cache)?.toHash == 0)
    #expect(try await place.scan("copy").run(cache: new.cache)?.oid == pointer.oid)
    try place.write("data/d1/f1", "other")
    try place.write("data/d1/new", "new")
    let changed = try #require(try await place.add("data", cache: added.cache).pointer)
    let updated = try await place.checkOut(changed, to: "copy", cache: new.cache)
    #expect(updated.filesWritten == 2)
    #expect(try await place.scan("copy").run(cache: updated.cache)?.oid == changed.oid)
  }

  @Test func filesRoundTrip() async throws {
    let place = try await Workplace()
    try place.write(TreePath("model.bin")!, [1, 2, 3], executable: true)
    let pointer = try #require(try await place.add("model.bin").pointer)
    #expect(pointer.executable)
    try await place.checkOut(pointer, to: "copy.bin")
    #expect(try place.folder.appending("copy.bin").readAll(limit: 10) == [1, 2, 3])
    #expect(try place.folder.appending("copy.bin").fileStat()?.isExecutable == true)
  }

  /// A file may take a directory's place and the other way round, also as the whole target.
  @Test func targetsChangeTheirKind() async throws {
    let place = try await Workplace()
    try place.write("data/inside", "1")
    let tree = try await place.add("data")
    try place.folder.appending("data").removeTree()
    try place.write("data", "now a file")
    let file = try await place.add("data", cache: tree.cache)
    let back = try await place.checkOut(try #require(tree.pointer), to: "data", cache: file.cache)
    #expect(try place.content("data/inside") == "1")
    try await place.checkOut(try #require(file.pointer), to: "data", cache: back.cache)
    #expect(try place.content("data") == "now a file")
  }

  /// A look that keeps its cache, as `status` does, stores nothing; what it hashed must be stored by the next add.
  @Test(arguments: [false, true])
  func whatWasOnlyLookedAtIsStoredWhenAdded(isPart: Bool) async throws {
    let place = try await Workplace()
    try place.write("data/a", "a")
    try place.write("data/sub/s", "s")
    let first = try await place.add("data")
    try place.write("data/sub/new", "new content")
    try place.write("data/sub/more", "new content too")
    var cache = first.cache
    for _ in 0..<2 {
      cache = try #require(try await place.look("data", cache: cache)).result.cache
      cache = cache.withTrust
    }
    let pointer: Pointer?
    if isPart {
      let scan = place.scan("data")
      let found = try #require(try await scan.run(cache: cache))
      let writer = ObjectWriter(addingTo: place.store)
      pointer = try await TreeIngest(of: scan, writer: writer).run(
        found, only: TreePath("sub")!, of: first.pointer!, cache: cache, read: place.read
      ).pointer
      _ = try await writer.finish()
    } else {
      pointer = try await place.add("data", cache: cache, previous: first.pointer).pointer
    }
    let tree = try #require(pointer)
    let browser = TreeBrowser(read: place.read)
    var contents: [String] = []
    let store = place.store
    for path in ["sub/more", "sub/new", "sub/s", "a"] {
      let place = try #require(TreePath(path))
      let entry = try #require(try await browser.entry(at: place, in: tree.oid))
      var content: [UInt8] = []
      try await store.readFile(entry.oid, size: entry.size) { piece in
        for index in piece.indices { content.append(piece[index]) }
      }
      contents.append(String(decoding: content, as: UTF8.self))
    }
    #expect(contents == ["new content too", "new content", "s", "a"])
  }

  /// A tree that no version is, as a checkout of a part leaves, is stored when it is added, though all its files are in the store.
  @Test(arguments: ["sub", "sub/s1", "a1"])
  func whatAPartialCheckoutMadeIsStoredWhenAdded(part: String) async throws {
    let place = try await Workplace()
    var versions: [IngestResult] = []
    for version in 1...2 {
      for name in ["a1", "a2", "sub/s1", "sub/s2", "other/o"] { try place.write("data/" + name, "\(name) of \(version)") }
      versions.append(try await place.add("data"))
    }
    let old = try #require(versions[0].pointer)
    let report = try await place.checkOut(old, to: "data", cache: versions[1].cache)
    let mixed = try await place.checkOut(
      try #require(versions[1].pointer), to: "data", only: TreePath(part)!, cache: report.cache)
    for cache in [mixed.cache, mixed.cache.withTrust] {
      let added = try await place.add("data", cache: cache, previous: versions[1].pointer)
      let pointer = try #require(added.pointer)
      #expect(pointer.oid != old.oid && pointer.oid != versions[1].pointer?.oid)
      try place.folder.appending("copy").removeTree()
      try await place.checkOut(pointer, to: "copy")
      #expect(try place.snapshot("copy") == place.snapshot("data"))
    }
  }

  /// Whatever a cache says, a pointer names only what is stored.
  @Test func treesThatOnlyACacheKnowsAreStored() async throws {
    let place = try await Workplace()
    for name in ["a", "sub/s", "sub/deep/d", "other/o"] { try place.write("data/" + name, "the same") }
    // The files are in the store, and of the trees only a cache knows.
    let looked = try #require(try await place.look("data", cache: nil))
    try place.write("elsewhere/x", "the same")
    _ = try await place.add("elsewhere")
    var cache = StatCache(state: looked.result.state, saved: looked.result.pointer?.oid, rules: looked.result.cache.rules)
    cache = cache.withTrust
    let pointer = try #require(try await place.add("data", cache: cache, previous: looked.result.pointer).pointer)
    try await place.checkOut(pointer, to: "copy")
    #expect(try place.snapshot("copy") == place.snapshot("data"))
  }

  /// A part is added to the tree on disk where that is the version but for the part, and edited into the version elsewhere:
  /// both make the same, whatever else was changed.
  @Test(arguments: 0..<20)
  func aPartMakesOneTreeInBothWays(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let place = try await Workplace()
    let directories = ["", "a/", "a/b/", "c/"]
    for directory in directories { for number in 0..<30 { try place.write("data/\(directory)f\(number)", "\(directory)\(number)") } }
    var last = try await place.add("data")
    var wereEqual = 0
    for step in 0..<12 {
      let directory = directories.randomElement(using: &random)!
      let path = directory + "f\(Int.random(in: 0..<40, using: &random))"
      let isThere = try place.folder.appending("data").appending(path).fileStat() != nil
      if isThere, Bool.random(using: &random) {
        try place.folder.appending("data").appending(path).removeFile()
      } else {
        try place.write("data/" + path, "new in step \(step)")
      }
      // Later, something else is changed too now and then, and not asked for.
      if step > 5, Int.random(in: 0..<4, using: &random) == 0 { try place.write("data/" + directories.randomElement(using: &random)! + "other\(step)", "x") }
      let previous = try #require(last.pointer)
      let kept = last.cache.withTrust
      var made: [Pointer?] = []
      for cache in [nil, kept] {
        let scan = place.scan("data")
        let found = try #require(try await scan.run(cache: cache))
        let writer = ObjectWriter(addingTo: place.store)
        last = try await TreeIngest(of: scan, writer: writer).run(
          found, only: TreePath(path)!, of: previous, cache: cache, read: place.read)
        _ = try await writer.finish()
        made.append(last.pointer)
        if cache?.state.oid == previous.oid, last.state.equals(kept.state, exceptAt: TreePath(path)!) { wereEqual += 1 }
      }
      #expect(made[0] != nil)
      #expect(made[0] == made[1], "\(path) in step \(step)")
    }
    #expect(wereEqual > 0)
  }

  @Test func addingOnePathTakesOnlyThat() async throws {
    let place = try await Workplace()
    try place.write("data/a", "1")
    try place.write("data/b/c", "2")
    let first = try await place.add("data")
    let pointer = try #require(first.pointer)
    try place.write("data/a", "changed")
    try place.write("data/b/new", "3")
    let scan = place.scan("data")
    let found = try #require(try await scan.run(cache: first.cache))
    let writer = ObjectWriterForTests.writer(place.store)
    let part = try await TreeIngest(of: scan, writer: writer).run(
      found, only: TreePath("b/new")!, of: pointer, cache: first.cache, read: place.read)
    _ = try await writer.finish()
    try await place.checkOut(try #require(part.pointer), to: "copy")
    #expect(try place.content("copy/a") == "1")
    #expect(try place.content("copy/b/new") == "3")
    #expect(part.filesRead == 1)
    #expect(try await place.status("data", try #require(part.pointer), cache: part.cache) == ["modified data/a"])
  }

  @Test func checkingOutOnePathLeavesTheRest() async throws {
    let place = try await Workplace()
    try place.write("data/a", "1")
    try place.write("data/b/c", "2")
    let pointer = try #require(try await place.add("data").pointer)
    let report = try await place.checkOut(pointer, to: "copy", only: TreePath("b")!)
    #expect(report.filesWritten == 1)
    #expect(try place.content("copy/b/c") == "2")
    let rest = try await place.checkOut(pointer, to: "copy", cache: report.cache)
    #expect(rest.filesWritten == 1)
    #expect(try place.snapshot("copy") == place.snapshot("data"))
  }
}
