import DVFile
import DVObject

/// A directory that a scan has still to look at.
struct PendingDirectory: Sendable {
  /// Relative to the target.
  let path: TreePath
  /// The number of the directory that holds it, and which of its entries it is.
  let parent: Int
  let entryInParent: Int
  /// Its number in the cached state, if it was there.
  let cached: Int?
  /// The ignore rules from above.
  let rules: IgnoreRules
  /// Whether rules may have changed since the cached state: names in it may be ignored now.
  let rulesChanged: Bool
}

/// One directory as a scan found it.
struct FoundDirectory: Sendable {
  let pending: PendingDirectory
  var device: UInt64 = 0
  var inode: UInt64 = 0
  var entries: [StatEntry] = []
  var names: [UInt8] = []
  /// The directories among the entries: which entry, and their number in the cached state.
  var children: [(entry: Int, cached: Int?)] = []
  /// Whether every entry is in the cached state with the same name, mode and oid, and none is gone.
  var isUnchanged = false
  var toHash = 0
  var rules: IgnoreRules
  var rulesChanged: Bool
  var problems: [ScanProblem] = []
  var leftovers: [TreePath] = []
}

/// Looks at directories for a scan, one after the other.
struct DirectoryReader {
  private var cursor: DirectoryCursor
  private let target: TreePath
  private let old: TreeState?
  private var listing = DirectoryListing()

  init(root: OpenDirectory, target: TreePath, old: TreeState?) {
    cursor = DirectoryCursor(root: root)
    self.target = target
    self.old = old
  }

  /// From so many names on, one directory is looked at on all cores.
  private static let largeCount = 8192

  /// Lists a directory and compares each name with the cached state.
  mutating func read(_ pending: PendingDirectory) async throws -> FoundDirectory {
    let directory = try cursor.directory(at: pending.path)
    let stat = try directory.handle.stat()
    try directory.handle.list(into: &listing)
    var found = FoundDirectory(pending: pending, rules: pending.rules, rulesChanged: pending.rulesChanged)
    found.device = stat.device
    found.inode = stat.inode
    try takeRules(from: directory, into: &found)

    let task = NameMatcher(
      directory: directory, device: stat.device, path: pending.path, target: target, old: old, cached: pending.cached,
      rules: found.rules, rulesChanged: found.rulesChanged)
    var isWhole = true
    if listing.count < Self.largeCount {
      var part = MatchedNames()
      try task.match(listing.indices, of: listing, into: &part)
      isWhole = part.isUnchanged
      found.take(part)
    } else {
      let names = listing
      let size = Self.largeCount / 2
      let ranges = stride(from: 0, to: names.count, by: size).map { $0..<min($0 + size, names.count) }
      let parts = try await ranges.mapConcurrently(width: Machine.coreCount) { range in
        var part = MatchedNames()
        try task.match(range, of: names, into: &part)
        return part
      }
      for part in parts {
        isWhole = isWhole && part.isUnchanged
        found.take(part)
      }
    }
    if let cached = pending.cached, let old {
      found.isUnchanged = isWhole && found.entries.count == Int(old.directories[cached].entryCount)
    }
    return found
  }

  /// Adds the rules of the directory's own `.dvignore`, and notes whether they may have changed.
  private func takeRules(from directory: OpenDirectory, into found: inout FoundDirectory) throws(FileError) {
    let name = IgnoreRules.fileName
    let before = found.pending.cached.flatMap { number in
      old?.entry(named: name, in: number).map { (number, $0) }
    }
    guard let index = listing.index(of: name), let stat = try directory.handle.stat(in: listing, at: index),
      stat.kind == .regular
    else {
      if before != nil { found.rulesChanged = true }
      return
    }
    if let before, let old {
      let entry = old.entries[before.1]
      let isSame =
        entry.flags.contains([.hashed, .trusted]) && old.directories[before.0].device == stat.device
        && entry.hasIdentity(stat)
      if !isSame { found.rulesChanged = true }
    } else {
      found.rulesChanged = true
    }
    var content: [UInt8] = []
    _ = try directory.handle.readFile(in: listing, at: index, into: &content, limit: 16 << 20)
    found.rules.add(content, in: target.appending(found.pending.path).bytes)
  }
}

extension FoundDirectory {
  /// Appends what was found of the next names.
  fileprivate mutating func take(_ part: MatchedNames) {
    let entryBase = entries.count
    let nameBase = UInt32(names.count)
    if entryBase == 0 {
      entries = part.entries
      names = part.names
      children = part.children
    } else {
      for entry in part.entries {
        var moved = entry
        moved.nameOffset += nameBase
        entries.append(moved)
      }
      names += part.names
      for child in part.children { children.append((child.entry + entryBase, child.cached)) }
    }
    toHash += part.toHash
    problems += part.problems
    leftovers += part.leftovers
  }
}
