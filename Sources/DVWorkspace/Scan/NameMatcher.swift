import DVFile
import DVObject

/// What was found of a run of names of one directory.
struct MatchedNames: Sendable {
  var entries: [StatEntry] = []
  var names: [UInt8] = []
  var children: [(entry: Int, cached: Int?)] = []
  /// Whether each entry is in the cached state with the same mode and content.
  var isUnchanged = true
  var toHash = 0
  var problems: [ScanProblem] = []
  var leftovers: [TreePath] = []
}

/// Compares names of one directory, as listed, with what the cached state has of it. Both are in order, so they are merged.
struct NameMatcher: Sendable {
  let directory: OpenDirectory
  let device: UInt64
  /// Relative to the target.
  let path: TreePath
  let target: TreePath
  let old: TreeState?
  /// The directory's number in ``old``.
  let cached: Int?
  let rules: IgnoreRules
  let rulesChanged: Bool

  /// Looks at the names of `range` and appends what is to be kept of them.
  func match(
    _ range: Range<Int>, of listing: borrowing DirectoryListing, into result: inout MatchedNames
  ) throws(FileError) {
    result.entries.reserveCapacity(range.count)
    var cursor = CachedNames(old, directory: cached)
    if let first = range.first {
      listing.withName(at: first) { cursor.seek($0) }
    }
    let full = target.appending(path)
    for index in range {
      // What the cached state has of this name.
      let known = listing.withName(at: index) { cursor.advance(to: $0) }
      if known == nil, try skips(listing, index, full, &result) { continue }
      guard let stat = try directory.handle.stat(in: listing, at: index) else { continue }
      if let known, let old, rulesChanged || old.entries[known].isDirectory != (stat.kind == .directory) {
        if !rules.isEmpty, isIgnored(listing, index, full, isDirectory: stat.kind == .directory) { continue }
      }
      append(stat, listing, index, known, full, &result)
    }
  }

  /// Returns whether a name that the cached state lacks is left out.
  private func skips(
    _ listing: borrowing DirectoryListing, _ index: Int, _ full: TreePath, _ result: inout MatchedNames
  ) throws(FileError) -> Bool {
    enum Special { case git, temporary }
    let special = listing.withName(at: index) { name -> Special? in
      if name.isGitDirectory { return .git }
      return name.isTemporary ? .temporary : nil
    }
    switch special {
    case .git: return true
    case .temporary:
      result.leftovers.append(path.appending(listing.name(at: index)))
      return true
    case nil: break
    }
    guard !rules.isEmpty else { return false }
    let isDirectory: Bool
    if let kind = listing.kind(at: index) {
      isDirectory = kind == .directory
    } else {
      isDirectory = try directory.handle.stat(in: listing, at: index)?.kind == .directory
    }
    return isIgnored(listing, index, full, isDirectory: isDirectory)
  }

  private func isIgnored(
    _ listing: borrowing DirectoryListing, _ index: Int, _ full: TreePath, isDirectory: Bool
  ) -> Bool {
    rules.ignores(full.appending(listing.name(at: index)).bytes.span, isDirectory: isDirectory)
  }

  private func append(
    _ stat: FileStat, _ listing: borrowing DirectoryListing, _ index: Int, _ known: Int?, _ full: TreePath,
    _ result: inout MatchedNames
  ) {
    let mode: EntryMode
    switch stat.kind {
    case .regular: mode = stat.isExecutable ? .executable : .file
    case .symlink: mode = .symlink
    case .directory: mode = .directory
    case .other:
      result.problems.append(ScanProblem(path: full.appending(listing.name(at: index)), reason: .special))
      return
    }
    let isPointer = stat.kind != .directory && listing.withName(at: index) { $0.isPointerName }
    if isPointer {
      result.problems.append(ScanProblem(path: full.appending(listing.name(at: index)), reason: .nestedPointer))
      return
    }
    let before = known.flatMap { known in old?.entries[known] }
    let isHere = if let old, let cached { old.directories[cached].device == stat.device } else { false }
    var (entry, isUnchanged) = StatEntry.of(stat, mode: mode, knownAs: before, onSameDevice: isHere)
    if mode == .directory {
      let child = known.flatMap { known in
        if let old, let cached { old.directories[cached].firstChild(ofEntry: known, in: old) } else { Int?.none }
      }
      result.children.append((result.entries.count, isUnchanged ? child : nil))
    } else if !isUnchanged {
      result.toHash += 1
    }
    if !isUnchanged { result.isUnchanged = false }
    entry.nameOffset = UInt32(result.names.count)
    listing.withName(at: index) { name in
      entry.nameLength = UInt8(name.count)
      result.names.append(span: name)
    }
    result.names.append(0)
    result.entries.append(entry)
  }
}

/// Walks the names that the cached state has of one directory.
private struct CachedNames {
  private let old: TreeState
  private let start: Int
  private let end: Int
  private let names: Int
  private var position: Int

  init(_ old: TreeState?, directory: Int?) {
    if let old, let directory {
      self.old = old
      start = Int(old.directories[directory].firstEntry)
      end = start + Int(old.directories[directory].entryCount)
      names = Int(old.directories[directory].namesOffset)
    } else {
      self.old = TreeState()
      (start, end, names) = (0, 0, 0)
    }
    position = start
  }

  /// Goes to the first name that is not before `name`.
  mutating func seek(_ name: Span<UInt8>) {
    var low = start
    var high = end
    while low < high {
      let middle = (low + high) / 2
      if order(at: middle, name) < 0 { low = middle + 1 } else { high = middle }
    }
    position = low
  }

  /// Returns the entry of that name, if there is one. Names MUST be asked for in order.
  mutating func advance(to name: Span<UInt8>) -> Int? {
    while position < end {
      let order = order(at: position, name)
      if order > 0 { return nil }
      position += 1
      if order == 0 { return position - 1 }
    }
    return nil
  }

  /// Returns a negative number if the cached name at `index` is before `name`, 0 if it is the same, else a positive one.
  private func order(at index: Int, _ name: Span<UInt8>) -> Int {
    let entry = old.entries[index]
    let first = names + Int(entry.nameOffset)
    let length = Int(entry.nameLength)
    return old.names.span.extracting(first..<(first + length)).order(to: name)
  }
}

extension StatDirectory {
  /// Returns the number of the directory that is entry `index` of this one.
  ///
  /// - Complexity: O(log *n*) in the directories within.
  func firstChild(ofEntry index: Int, in state: TreeState) -> Int? {
    let wanted = UInt32(index - Int(firstEntry))
    var low = children.lowerBound
    var high = children.upperBound
    while low < high {
      let middle = (low + high) / 2
      if state.directories[middle].entryInParent < wanted { low = middle + 1 } else { high = middle }
    }
    return low < children.upperBound && state.directories[low].entryInParent == wanted ? low : nil
  }
}

extension StatEntry {
  /// Makes the entry of a name that nothing is known of but what the file system says.
  init(_ stat: FileStat, mode: EntryMode) {
    self.init(
      oid: .none, inode: 0, size: 0, modified: 0, changed: 0, nameOffset: 0, nameLength: 0, mode: mode.rawValue,
      flags: [])
    setIdentity(stat)
    if mode == .directory { size = 0 }
  }

  /// Makes the entry of a name that was looked at, with what the cached state knows of it.
  ///
  /// - Parameters:
  ///   - before: its entry there, if it has one.
  ///   - isOnSameDevice: whether its directory lies on the device it lay on.
  /// - Returns: the entry, and whether the cached state vouches for it. Of a directory it vouches for no more than that it was
  ///   one.
  static func of(
    _ stat: FileStat, mode: EntryMode, knownAs before: StatEntry?, onSameDevice isOnSameDevice: Bool
  ) -> (entry: StatEntry, isUnchanged: Bool) {
    var entry = StatEntry(stat, mode: mode)
    guard let before else { return (entry, false) }
    if mode == .directory {
      if before.isDirectory { entry.flags = before.flags.intersection(.saved) }
      return (entry, before.isDirectory)
    }
    let isUnchanged =
      isOnSameDevice && before.flags.contains([.hashed, .trusted]) && before.mode == entry.mode && before.hasIdentity(stat)
    entry.oid = before.oid
    entry.savedMode = before.savedMode
    // What was saved under this name stays known, so that a change can be told from a touch.
    entry.flags = isUnchanged ? before.flags : before.flags.intersection(.saved)
    return (entry, isUnchanged)
  }
}

extension ObjectID {
  /// Stands where an oid is not known; what the value is does not matter.
  static let none = ObjectID(hashing: [UInt8]().span)
}
