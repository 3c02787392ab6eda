import DVFile
import DVObject
import DVTesting
@testable import DVWorkspace
import SystemPackage
import Testing

/// Pointers that were read before are told by their files.
struct PointerCacheTests {
  private static func pointer(_ number: Int) -> Pointer {
    let oid = ObjectID(hashing: [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)].span)
    switch number % 4 {
    case 0: return Pointer(file: oid, size: UInt64(number))
    case 1: return Pointer(file: oid, size: UInt64(number), executable: true, run: oid)
    case 2: return Pointer(tree: oid, totals: TreeTotals(files: 7, bytes: UInt64(number)))
    default: return Pointer(tree: oid, totals: TreeTotals(files: 0, bytes: 0), run: ObjectID(hashing: [1].span))
    }
  }

  private static func search(_ place: Workplace) -> PointerSearch { PointerSearch(root: place.folder) { _, _ in false } }

  @Test func theLayoutIsAsDocumented() {
    #expect(MemoryLayout<PointerCache.Entry>.stride == 128)
    #expect(MemoryLayout<PointerCache.Entry>.offset(of: \.device) == 64)
    #expect(MemoryLayout<PointerCache.Entry>.offset(of: \.pathOffset) == 120)
    #expect(PointerCache().encoded().count == 24 + 32)
  }

  @Test func whatIsKnownIsNotReadAgain() async throws {
    let place = try await Workplace()
    for number in 0..<100 {
      // Names beside directories that they begin like: the order of paths is not that of their bytes.
      let path = number < 50 ? "d\(number % 3)/\(number).dv" : "d\(number % 3)-\(number).dv"
      try place.write(TreePath(path)!, Self.pointer(number).encoded())
    }
    try await Task.sleep(for: .milliseconds(60))
    let first = try Self.search(place).read()
    #expect(first.readCount == 100)
    let cache = try #require(PointerCache(validating: first.cache.encoded()))
    let second = try Self.search(place).read(cache: cache)
    #expect(second.readCount == 0)
    #expect(try second.items.map { try $0.result.get() } == first.items.map { try $0.result.get() })
    #expect(second.cache.encoded() == cache.encoded())

    // Each kind of change is seen, and no other pointer read.
    let changed = Self.pointer(1000)
    try place.write(TreePath("d0/0.dv")!, changed.encoded())
    try place.folder.appending("d1/1.dv").removeFile()
    try place.write("d2/2.dv", "no pointer")
    try place.write(TreePath("new.dv")!, Self.pointer(5).encoded())
    let third = try Self.search(place).read(cache: cache)
    #expect(third.readCount == 3)
    #expect(third.items.count == 100)
    #expect(try third.items.first { $0.path == TreePath("d0/0.dv")! }?.result.get().pointer == changed)
    #expect(third.items.contains { $0.path == TreePath("d2/2.dv")! && (try? $0.result.get()) == nil })
    #expect(!third.items.contains { $0.path == TreePath("d1/1.dv")! })
  }

  /// The sequence that fails without the rule: another pointer of equal length in the same tick.
  @Test func aChangeInTheSameTickIsSeen() async throws {
    let place = try await Workplace()
    for round in 0..<20 {
      let path = TreePath("a.dv")!
      try place.write(path, Self.pointer(8).encoded())
      let cache = try Self.search(place).read().cache
      let file = place.folder.appending(path)
      let descriptor = try FileDescriptor.open(file, .writeOnly)
      let other = Pointer(file: ObjectID(hashing: [9].span), size: 8)
      try descriptor.closeAfter { _ = try descriptor.writeAll(other.encoded()) }
      #expect(try Self.search(place).read(cache: cache).items.first?.result.get().pointer == other, "\(round)")
    }
  }

  @Test func damageReadsAsNoCache() async throws {
    let place = try await Workplace()
    for number in 0..<9 { try place.write(TreePath("\(number).dv")!, Self.pointer(number).encoded()) }
    try await Task.sleep(for: .milliseconds(60))
    let bytes = try Self.search(place).read().cache.encoded()
    var random = SeededGenerator(seed: 1)
    for _ in 0..<300 {
      var damaged = bytes
      damaged[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
      #expect(PointerCache(validating: damaged) == nil)
      #expect(PointerCache(validating: Array(bytes[..<Int.random(in: 0..<bytes.count, using: &random)])) == nil)
    }
  }
}
