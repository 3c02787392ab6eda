import DVFile
import DVObject
import DVTesting
@testable import DVWorkspace
import SystemPackage
import Testing

/// A look at one file gives what a look at everything gives, if nothing else changed.
struct OneFileScanTests {
  @Test(arguments: 0..<8) func itIsAsALookAtEverything(seed: UInt64) async throws {
    let place = try await Workplace()
    var random = SeededGenerator(seed: seed)
    func path() -> String {
      let depth = Int.random(in: 0..<4, using: &random)
      let above = (0..<depth).map { _ in "d\(Int.random(in: 0..<3, using: &random))/" }.joined()
      return "data/\(above)f\(Int.random(in: 0..<12, using: &random))"
    }
    for index in 0..<60 { try place.write(path(), "\(index)") }
    // Old enough to be trusted.
    try await Task.sleep(for: .milliseconds(60))
    var cache = try await place.add("data").cache
    for round in 0..<12 {
      let file = path()
      try place.write(TreePath(file)!, Array("round \(round)".utf8), executable: Bool.random(using: &random))
      let inside = TreePath(String(file.dropFirst(5)))!
      let part = try #require(try await place.scan("data").run(only: inside, cache: cache))
      let whole = try #require(try await place.scan("data").run(cache: cache))
      let isSame = Shape(part) == Shape(whole)
      #expect(isSame, "seed \(seed), round \(round): \(file)")
      #expect(part.bytesToHash == whole.bytesToHash)
      try await Task.sleep(for: .milliseconds(60))
      cache = try await place.add("data", cache: cache).cache
    }
  }

  @Test func whatTakesMoreIsLookedAtWhole() async throws {
    let place = try await Workplace()
    try place.write("data/a", "1")
    try place.write("data/d/b", "2")
    let cache = try await place.add("data").cache
    func found(_ path: String) async throws -> ScanResult {
      try #require(try await place.scan("data").run(only: TreePath(path)!, cache: cache))
    }
    // A directory that is new, a name that is gone, and a file that rules leave out.
    try place.write("data/new/c", "3")
    #expect(try await found("new/c").contains(TreePath("new/c")!))
    #expect(try await !found("gone").contains(TreePath("gone")!))
    try place.write("data/d/x.log", "4")
    #expect(try await found("d/x.log").contains(TreePath("d/x.log")!))
    try place.write("data/.dvignore", "*.log\n")
    #expect(try await !found("d/x.log").contains(TreePath("d/x.log")!))
    // What can never be tracked.
    try place.write("data/d/y.dv", "5")
    #expect(try await found("d/y.dv").problems.contains { $0.reason == .nestedPointer })
  }

  /// What a state says, but for oids that are not meant.
  private struct Shape: Equatable {
    let entries: [[UInt8]]
    let names: [UInt8]
    let directories: [[UInt64]]

    init(_ result: ScanResult) {
      let state = result.state
      #expect(StatCache(validating: StatCache(state: state, saved: nil, rules: result.rules).encoded()) != nil)
      entries = state.entries.map { entry in
        var entry = entry
        if entry.flags.isDisjoint(with: [.hashed, .saved]) { entry.oid = .none }
        // Directories are not told by these.
        if entry.isDirectory { (entry.inode, entry.modified, entry.changed, entry.savedMode) = (0, 0, 0, 0) }
        return unsafe withUnsafeBytes(of: entry) { unsafe Array($0) }
      }
      names = state.names
      directories = state.directories.map { directory in
        [
          directory.namesOffset, directory.namesLength, UInt64(directory.firstEntry), UInt64(directory.entryCount),
          UInt64(directory.firstChild), UInt64(directory.childCount), UInt64(directory.parent), UInt64(directory.entryInParent),
          UInt64(directory.hashed), directory.device, directory.inode,
        ]
      }
    }
  }
}
