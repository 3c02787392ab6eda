import DVFile
import DVObject

extension TreeScan {
  /// Looks at one file of a directory and believes the cache of all else.
  ///
  /// What it takes more to tell, as of a directory, of a name that is gone, or where ignore rules count, is looked at whole,
  /// by ``run(cache:)``.
  ///
  /// - Parameter path: relative to the target.
  /// - Complexity: O(depth) system calls; memory is moved if the name is new.
  public func run(only path: TreePath, cache: StatCache?) async throws(WorkspaceError) -> ScanResult? {
    let start = FileTime.now
    do throws(FileError) {
      if let cache, let state = try look(at: path, in: cache) {
        let toHash = state.entries.reduce(0) { $1.isKnown ? $0 : $0 + 1 }
        return ScanResult(state: state, rules: cache.rules, start: start, toHash: toHash)
      }
    } catch {
      throw WorkspaceError(wrapping: error)
    }
    return try await run(cache: cache)
  }

  /// Returns the cached state with what is on disk at `path`; `nil` if that has to be looked at in another way.
  private func look(at path: TreePath, in cache: StatCache) throws(FileError) -> TreeState? {
    var state = cache.state
    let name = path.lastName
    guard !path.isRoot, state.isDirectory, rules.isEmpty, cache.rules == rules.digest,
      try location.fileStat()?.kind == .directory
    else { return nil }
    var directory = try DirectoryHandle(location)
    var number = 0
    guard try state.isAsCached(number, directory) else { return nil }
    for step in path.parent.names {
      guard let index = state.entry(named: step, in: number),
        let child = state.directories[number].firstChild(ofEntry: index, in: state),
        try directory.stat(name: step)?.kind == .directory
      else { return nil }
      directory = try directory.openDirectory(name: step)
      number = child
      guard try state.isAsCached(number, directory) else { return nil }
    }
    guard let stat = try directory.stat(name: name), let mode = stat.fileMode,
      !name.span.isGitDirectory, !name.span.isTemporary, !name.span.isPointerName
    else { return nil }
    let known = state.entry(named: name, in: number)
    let before = known.map { state.entries[$0] }
    if let before, before.isDirectory { return nil }
    let (entry, isUnchanged) = StatEntry.of(stat, mode: mode, knownAs: before, onSameDevice: true)
    if isUnchanged { return state }
    state.put(entry, at: known, named: name, in: number)
    return state
  }
}

extension TreeState {
  /// Whether a directory lies where it was, and neither has nor had ignore rules of its own.
  fileprivate func isAsCached(_ number: Int, _ directory: borrowing DirectoryHandle) throws(FileError) -> Bool {
    let rules = IgnoreRules.fileName
    guard entry(named: rules, in: number) == nil, try directory.stat(name: rules) == nil else { return false }
    return try directory.stat().device == directories[number].device
  }

  /// Puts an entry in the place of number `known`, or, if that is `nil`, of a name that is new to directory `number`.
  fileprivate mutating func put(_ entry: StatEntry, at known: Int?, named name: [UInt8], in number: Int) {
    forgetTree(of: number)
    var entry = entry
    if let known {
      entry.nameOffset = entries[known].nameOffset
      entry.nameLength = entries[known].nameLength
      entries[known] = entry
      return
    }
    let index = position(of: name, in: number)
    let directory = directories[number]
    let isLast = index == directory.entries.upperBound
    entry.nameOffset = isLast ? UInt32(directory.namesLength) : entries[index].nameOffset
    entry.nameLength = UInt8(name.count)
    let moved = UInt32(name.count + 1)
    for later in index..<directory.entries.upperBound { entries[later].nameOffset += moved }
    entries.insert(entry, at: index)
    names.insert(contentsOf: name + [0], at: Int(directory.namesOffset) + Int(entry.nameOffset))
    directories[number].entryCount += 1
    directories[number].namesLength += UInt64(moved)
    for later in directories.indices.dropFirst(number + 1) {
      directories[later].firstEntry += 1
      directories[later].namesOffset += UInt64(moved)
    }
    let place = UInt32(index - directory.entries.lowerBound)
    for child in directory.children where directories[child].entryInParent >= place { directories[child].entryInParent += 1 }
  }
}

extension FileStat {
  /// The mode of a file or link; `nil` for anything else.
  fileprivate var fileMode: EntryMode? {
    switch kind {
    case .regular: isExecutable ? .executable : .file
    case .symlink: .symlink
    case .directory, .other: nil
    }
  }
}
