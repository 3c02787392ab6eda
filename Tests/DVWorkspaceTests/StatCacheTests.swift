import DVFile
import DVObject
import DVTesting
@testable import DVWorkspace
import SystemPackage
import Testing

struct StatCacheTests {
  /// The layout is frozen for a version: a change of these numbers needs a new one.
  @Test func theLayoutIsAsDocumented() {
    #expect(MemoryLayout<StatEntry>.size == 72)
    #expect(MemoryLayout<StatEntry>.stride == 72)
    #expect(MemoryLayout<StatDirectory>.size == 112)
    #expect(MemoryLayout<StatDirectory>.stride == 112)
    #expect(MemoryLayout<StatEntry>.offset(of: \.inode) == 32)
    #expect(MemoryLayout<StatEntry>.offset(of: \.nameOffset) == 64)
    #expect(MemoryLayout<StatDirectory>.offset(of: \.firstEntry) == 80)
    let cache = StatCache(state: TreeState(), saved: nil, rules: ObjectID(hashing: [1].span))
    #expect(cache.encoded().count == 112 + 32)
  }

  /// Whatever happens to the file, it reads as what was written or not at all.
  @Test func damageReadsAsNoCache() async throws {
    let place = try await Workplace()
    for index in 0..<20 { try place.write("data/d\(index % 3)/f\(index)", "\(index)") }
    let bytes = try await place.add("data").cache.encoded()
    #expect(StatCache(validating: bytes)?.encoded() == bytes)
    var random = SeededGenerator(seed: 1)
    for _ in 0..<300 {
      var damaged = bytes
      damaged[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
      #expect(StatCache(validating: damaged) == nil)
      #expect(StatCache(validating: Array(bytes[..<Int.random(in: 0..<bytes.count, using: &random)])) == nil)
    }
  }

  /// The sequence that fails without the rule: a change of equal size in the same tick.
  @Test func aChangeInTheSameTickIsSeen() async throws {
    let place = try await Workplace()
    for round in 0..<20 {
      try place.write("data/a", "first")
      let added = try await place.add("data")
      let file = place.folder.appending("data/a")
      let descriptor = try FileDescriptor.open(file, .writeOnly)
      try descriptor.closeAfter { _ = try descriptor.writeAll(Array("other".utf8)) }
      #expect(
        try await place.status("data", try #require(added.pointer), cache: added.cache) == ["modified data/a"], "\(round)")
    }
  }

  @Test func onlyOldTimesAreTrusted() {
    let rule = TrustRule(start: FileTime(seconds: 100, nanoseconds: 500_000_000))
    #expect(rule.trusts(modified: 100_470_000_001, changed: 100_470_000_001))
    #expect(!rule.trusts(modified: 100_490_000_000, changed: 50_000_000_001))
    #expect(!rule.trusts(modified: 50_000_000_001, changed: 100_490_000_000))
    #expect(!rule.trusts(modified: 99_000_000_000, changed: 99_000_000_000))
    #expect(rule.trusts(modified: 98_000_000_000, changed: 98_000_000_000))
    #expect(!rule.trusts(modified: 200_000_000_001, changed: 200_000_000_001))
  }

  /// A clone that is moved stays warm.
  @Test func movingKeepsTheCache() async throws {
    let place = try await Workplace()
    try place.write("one/data/a", "1")
    try await Task.sleep(for: .milliseconds(40))
    let scan = TreeScan(location: place.folder.appending("one/data"), target: TreePath("data")!)
    let found = try #require(try await scan.run(cache: nil))
    let added = try await TreeIngest(of: scan, writer: nil).run(found)
    try place.folder.appending("one").rename(to: place.folder.appending("two"))
    let moved = TreeScan(location: place.folder.appending("two/data"), target: TreePath("data")!)
    #expect(try await moved.run(cache: added.cache)?.toHash == 0)
  }

  /// New rules make the scan look at names it knows, too.
  @Test func rulesMayChange() async throws {
    let place = try await Workplace()
    try place.write("data/a.tmp", "1")
    try place.write("data/sub/b.tmp", "2")
    try place.write("data/c", "3")
    let first = try await place.add("data")
    #expect(first.pointer?.files == 3)
    try place.write("data/.dvignore", "/a.tmp\n")
    let second = try await place.add("data", cache: first.cache)
    #expect(second.pointer?.files == 3)
    var rules = IgnoreRules()
    rules.add(Array("*.tmp\n".utf8), in: [])
    let scan = place.scan("data", rules: rules)
    let found = try #require(try await scan.run(cache: second.cache))
    #expect(found.state.fileCount == 2)
    try place.folder.appending("data/.dvignore").removeFile()
    #expect(try await place.add("data", cache: second.cache).pointer == first.pointer)
  }
}
