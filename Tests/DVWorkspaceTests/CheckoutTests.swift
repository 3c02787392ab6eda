import DVFile
import DVObject
@testable import DVStore
import DVTesting
@testable import DVWorkspace
import SystemPackage
import Testing

/// A checkout never loses the user's work and never leaves half a file.
struct CheckoutTests {
  /// Two versions of `data`, the second one on disk.
  private func twoVersions() async throws -> (Workplace, IngestResult, IngestResult) {
    let place = try await Workplace()
    try place.write("data/kept", "same")
    try place.write("data/changed", "old")
    try place.write("data/gone/deep", "old")
    let first = try await place.add("data")
    try place.write("data/changed", "newer")
    try place.folder.appending("data/gone").removeTree()
    try place.write("data/fresh", "new")
    return (place, first, try await place.add("data", cache: first.cache))
  }

  @Test func modifiedFilesAreConflicts() async throws {
    let (place, first, second) = try await twoVersions()
    let old = try #require(first.pointer)
    try place.write("data/changed", "mine!")
    try place.write("data/fresh", "mine too")
    try place.write("data/gone/deep", "never added")
    try place.write("data/mine", "untracked, in nobody's way")
    let plan = try await place.plan(old, to: "data", cache: second.cache)
    #expect(plan.conflicts.map { "\($0.path) \($0.reason)" } == [
      "data/changed modified", "data/fresh modified", "data/gone/deep untracked",
    ])
    let error = await #expect(throws: WorkspaceError.self) {
      try await place.checkOut(old, to: "data", cache: second.cache)
    }
    #expect(error?.code == .conflict)
    #expect(error?.paths.count == 3)
    #expect(try place.content("data/changed") == "mine!")

    let report = try await place.checkOut(old, to: "data", cache: second.cache, force: true)
    #expect(try place.content("data/changed") == "old")
    #expect(try place.content("data/gone/deep") == "old")
    #expect(try place.content("data/mine") == "untracked, in nobody's way")
    #expect(try place.folder.appending("data/fresh").fileStat() == nil)
    #expect(try await place.status("data", old, cache: report.cache) == ["untracked-inside data/mine"])
  }

  /// What the user changed stays where the versions do not differ.
  @Test func unrelatedModificationsStay() async throws {
    let (place, first, second) = try await twoVersions()
    try place.write("data/kept", "my own")
    let report = try await place.checkOut(try #require(first.pointer), to: "data", cache: second.cache)
    #expect(try place.content("data/kept") == "my own")
    #expect(try place.content("data/changed") == "old")
    #expect(try await place.status("data", try #require(first.pointer), cache: report.cache) == ["modified data/kept"])
    // It is still known as a change when the other version comes back.
    let back = try await place.checkOut(try #require(second.pointer), to: "data", cache: report.cache)
    #expect(try await place.status("data", try #require(second.pointer), cache: back.cache) == ["modified data/kept"])
  }

  /// Without a cache only what the store holds is replaced, and nothing is removed.
  @Test func aLostCacheLosesNothing() async throws {
    let (place, first, _) = try await twoVersions()
    let report = try await place.checkOut(try #require(first.pointer), to: "data", cache: nil)
    #expect(try place.content("data/changed") == "old")
    #expect(try place.content("data/fresh") == "new")
    #expect(report.filesRemoved == 0)
    try place.write("data/changed", "unknown")
    await #expect(throws: WorkspaceError.self) {
      try await place.checkOut(try #require(first.pointer), to: "data", cache: nil)
    }
  }

  @Test func touchedFilesAreNotModified() async throws {
    let (place, first, second) = try await twoVersions()
    try place.write("data/changed", "newer")
    let report = try await place.checkOut(try #require(first.pointer), to: "data", cache: second.cache)
    #expect(report.failures.isEmpty)
    #expect(try place.content("data/changed") == "old")
  }

  @Test func changesOfModeAreWork() async throws {
    let (place, _, second) = try await twoVersions()
    try place.folder.appending("data/kept").setExecutable(true)
    let pointer = try #require(second.pointer)
    #expect(try await place.status("data", pointer, cache: second.cache) == ["modified data/kept"])
    let changed = try await place.add("data", cache: second.cache)
    #expect(changed.pointer != pointer)
    try await place.checkOut(pointer, to: "data", cache: changed.cache)
    #expect(try place.folder.appending("data/kept").fileStat()?.isExecutable == false)
  }

  /// A link planted where a directory was is never followed.
  @Test func plantedLinksAreNotFollowed() async throws {
    let (place, first, second) = try await twoVersions()
    try place.write("outside/deep", "precious")
    try place.folder.appending("data/gone").createSymlink(to: Array("../outside".utf8))
    await #expect(throws: WorkspaceError.self) {
      try await place.checkOut(try #require(first.pointer), to: "data", cache: second.cache)
    }
    try await place.checkOut(try #require(first.pointer), to: "data", cache: second.cache, force: true)
    #expect(try place.content("outside/deep") == "precious")
    #expect(try place.content("data/gone/deep") == "old")
    // Nor is the target itself.
    try place.folder.appending("data").rename(to: place.folder.appending("aside"))
    try place.folder.appending("data").createSymlink(to: Array("outside".utf8))
    await #expect(throws: WorkspaceError.self) {
      try await place.checkOut(try #require(first.pointer), to: "data", cache: second.cache)
    }
    #expect(try place.content("outside/deep") == "precious")
  }

  /// Whichever call of the file system fails, the rest is whole, and the next run completes it.
  ///
  /// A denied access is a failure of one file, after which the others are delivered; an I/O error ends the run.
  @Test(arguments: [Errno.ioError, .permissionDenied])
  func everyFailureCanBeRepeated(errno: Errno) async throws {
    let (place, first, second) = try await twoVersions()
    let old = try #require(first.pointer)
    let new = try #require(second.pointer)
    let expected = try place.snapshot("data")
    for inPlace in [false, true] {
      var position = 1
      while true {
        try place.folder.appending("work").removeTree()
        var cache: StatCache?
        if inPlace { cache = try await place.checkOut(old, to: "work").cache }
        let plan = try await place.plan(new, to: "work", cache: cache)
        let fault = FaultPlan(at: position, .fail(errno))
        let before = cache
        let broken = try? await fault.run {
          try await Checkout(of: place.scan("work"), from: place.store).run(plan)
        }
        if let broken, broken.failures.isEmpty, !fault.happened { break }
        for index in ["kept", "changed", "fresh", "gone/deep"] {
          guard let content = try? place.content("work/" + index) else { continue }
          #expect(["same", "old", "newer", "new"].contains(content), "after call \(position)")
        }
        try await place.checkOut(new, to: "work", cache: broken?.cache ?? before)
        #expect(try place.snapshot("work") == expected, "after call \(position)")
        let leftovers = try place.folder.listDirectory()
        #expect(!leftovers.indices.contains { RandomName.isTemporary(String(decoding: leftovers.name(at: $0), as: UTF8.self)) })
        position += inPlace ? 5 : 3
      }
    }
  }

  @Test func whatCannotBeTrackedIsNamed() async throws {
    let place = try await Workplace()
    try place.write("data/a", "1")
    try place.write("data/sub/model.dv", "pointer")
    let error = await #expect(throws: WorkspaceError.self) { try await place.add("data") }
    #expect(error?.paths == [TreePath("data/sub/model.dv")!])
    try place.folder.appending("data/sub").removeTree()
    for target in ["/etc/passwd", "../../secret", "sub/../../x"] {
      try place.folder.appending("data/link").createSymlink(to: Array(target.utf8))
      let error = await #expect(throws: WorkspaceError.self) { try await place.add("data") }
      #expect(error?.code == .unsupported)
      #expect(error?.paths == [TreePath("data/link")!])
      try place.folder.appending("data/link").removeFile()
    }
    try place.folder.appending("data/link").createSymlink(to: Array("sub/../a".utf8))
    _ = try await place.add("data")
  }

  /// A tree that another program made may hold links that add refuses: they are not made, and the rest is.
  @Test(arguments: ["/etc/passwd", "../outside", "sub/../../outside", String(repeating: "a", count: 5000)])
  func linksThatLeaveAreNotMade(target: String) async throws {
    let place = try await Workplace()
    let writer = ObjectWriter(addingTo: place.store)
    let ingest = ContentIngest(writer: writer)
    var memory = CodecMemory()
    var builder = TreeBuilder()
    var nodes: [(ObjectID, [UInt8])] = []
    for (name, mode, text) in [("fine", EntryMode.file, "content"), ("link", .symlink, target)] {
      let oid = try await ingest.ingest(Array(text.utf8), memory: &memory)
      try builder.append(
        TreeEntry(name: try TreeName(Array(name.utf8)), mode: mode, oid: oid, size: UInt64(text.utf8.count))) { nodes.append(($0, $1)) }
    }
    let root = try builder.finish { nodes.append(($0, $1)) }
    for (id, bytes) in nodes { try await writer.store(bytes, as: ObjectKey(kind: .treeNode, id: id)) }
    _ = try await writer.finish()
    let report = try await place.checkOut(Pointer(tree: root.oid, totals: root.totals), to: "data")
    #expect(report.failures.count == 1)
    #expect(report.failures.first?.error.message.contains("symbolic link") == true)
    #expect(try place.content("data/fine") == "content")
    #expect(try place.folder.appending("data/link").fileStat() == nil)
  }
}
