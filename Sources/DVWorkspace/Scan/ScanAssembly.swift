import DVFile
import DVObject

/// Puts together the directories that a scan found, level by level.
struct ScanAssembly {
  private let old: TreeState?
  private var state = TreeState()
  /// For each directory, its number in the old state if nothing in it (deeper directories aside) differs.
  private var unchanged: [Int?] = []
  private var toHash = 0
  private var leftovers: [TreePath] = []
  var problems: [ScanProblem] = []

  init(old: TreeState?) { self.old = old }

  /// Adds a directory, and appends those within it to `next`.
  ///
  /// Directories MUST come in the order in which they were appended to `next`: then those within one follow each other.
  mutating func append(_ found: FoundDirectory, next: inout [PendingDirectory]) {
    let number = state.directories.count
    let pending = found.pending
    if number > 0, state.directories[pending.parent].childCount == 0 {
      state.directories[pending.parent].firstChild = UInt32(number)
    }
    if number > 0 { state.directories[pending.parent].childCount += 1 }
    state.directories.append(
      StatDirectory(
        oid: .none, device: found.device, inode: found.inode, files: 0, bytes: 0,
        namesOffset: UInt64(state.names.count), namesLength: UInt64(found.names.count),
        firstEntry: UInt32(state.entries.count), entryCount: UInt32(found.entries.count), firstChild: 0, childCount: 0,
        parent: UInt32(pending.parent), entryInParent: UInt32(pending.entryInParent), hashed: 0))
    state.entries += found.entries
    state.names += found.names
    unchanged.append(found.isUnchanged ? pending.cached : nil)
    toHash += found.toHash
    problems += found.problems
    leftovers += found.leftovers
    for child in found.children {
      let name = state.name(of: state.entries[Int(state.directories[number].firstEntry) + child.entry], in: number)
      next.append(
        PendingDirectory(
          path: pending.path.appending(name), parent: number, entryInParent: child.entry, cached: child.cached,
          rules: found.rules, rulesChanged: found.rulesChanged))
    }
  }

  /// Gives directories that are too deep a place as empty ones, so that the state stays whole; the scan has a problem then.
  mutating func dropChildren(_ pending: [PendingDirectory]) {
    var none: [PendingDirectory] = []
    for directory in pending {
      append(FoundDirectory(pending: directory, rules: directory.rules, rulesChanged: true), next: &none)
    }
  }

  /// Returns the result: directories in which nothing differs take their oid from the old state, bottom-up.
  consuming func finish(rules: ObjectID, start: FileTime) -> ScanResult {
    // Numbers of directories within a directory without any: where the next one's would begin.
    var following = 1
    for number in state.directories.indices {
      if state.directories[number].childCount == 0 { state.directories[number].firstChild = UInt32(following) }
      following += Int(state.directories[number].childCount)
    }
    if let old {
      for number in state.directories.indices.reversed() {
        guard let before = unchanged[number], old.directories[before].isHashed,
          state.directories[number].children.allSatisfy({ state.directories[$0].isHashed && unchanged[$0] != nil })
        else {
          unchanged[number] = nil
          continue
        }
        state.directories[number].takeOID(from: old.directories[before])
      }
    }
    return ScanResult(
      state: state, rules: rules, start: start, toHash: toHash, problems: problems, leftovers: leftovers)
  }
}

extension StatDirectory {
  /// Takes over the oid and totals of a directory with the same content.
  fileprivate mutating func takeOID(from other: StatDirectory) {
    oid = other.oid
    files = other.files
    bytes = other.bytes
    hashed = 1
  }
}
