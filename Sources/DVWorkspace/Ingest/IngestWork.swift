import DVObject
import DVStore

/// A state on its way to being hashed.
struct IngestWork {
  /// A file or link that must be read.
  struct Item: Sendable {
    let entry: Int
    let directory: Int
  }

  /// What must be read, in the order of the tree.
  struct Pending: Sendable {
    var small: [[Item]] = []
    var large: [Item] = []
  }

  /// How many files, and how many bytes, make a batch that one task reads.
  private static let batchCount = 64
  private static let batchBytes: UInt64 = 4 << 20

  var state: TreeState
  let trust: TrustRule
  private(set) var bases: [Int: SavedContent] = [:]
  private(set) var filesRead = 0
  private(set) var bytesRead: UInt64 = 0

  init(state: TreeState, trust: TrustRule) {
    self.state = state
    self.trust = trust
  }

  /// Returns what must be read of all, or of what lies at or below `path`.
  func pending(below path: TreePath?) -> Pending {
    var pending = Pending()
    var batch: [Item] = []
    var bytes: UInt64 = 0
    func add(_ item: Item) {
      let entry = state.entries[item.entry]
      guard !entry.isKnown else { return }
      if entry.size > UInt64(ContentIngest.smallLimit) {
        pending.large.append(item)
        return
      }
      batch.append(item)
      bytes += entry.size
      if batch.count >= Self.batchCount || bytes >= Self.batchBytes {
        pending.small.append(batch)
        batch = []
        bytes = 0
      }
    }
    forEachEntry(below: path) { add(Item(entry: $0, directory: $1)) }
    if !batch.isEmpty { pending.small.append(batch) }
    return pending
  }

  /// Calls `body` with each entry and its directory, for all or for what lies at or below `path`.
  private func forEachEntry(
    below path: TreePath?, withDirectories: Bool = false, _ body: (_ entry: Int, _ directory: Int) -> Void
  ) {
    guard state.isDirectory else { return body(0, 0) }
    func visit(_ number: Int) {
      for index in state.directories[number].entries where withDirectories || !state.entries[index].isDirectory {
        body(index, number)
      }
    }
    guard let path, !path.isRoot else {
      for number in state.directories.indices { visit(number) }
      return
    }
    guard let (index, directory) = state.find(path) else { return }
    guard let start = state.directories[directory].firstChild(ofEntry: index, in: state),
      state.entries[index].isDirectory
    else { return body(index, directory) }
    if withDirectories { body(index, directory) }
    var waiting = [start]
    while let number = waiting.popLast() {
      visit(number)
      waiting += state.directories[number].children.reversed()
    }
  }

  /// Takes over what was read.
  mutating func take(_ results: [HashedEntry]) {
    for result in results {
      var entry = result.entry
      let before = state.entries[result.index]
      if before.flags.contains(.saved) {
        if before.oid == entry.oid && before.savedMode == entry.mode {
          entry.flags.insert(.saved)
        } else {
          bases[result.index] = SavedContent(oid: before.oid, mode: before.savedMode)
        }
      }
      entry.savedMode = before.savedMode
      entry.nameOffset = before.nameOffset
      entry.nameLength = before.nameLength
      state.entries[result.index] = entry
      filesRead += 1
      bytesRead += entry.size
    }
  }

  /// Marks entries as unread.
  mutating func forget(_ indices: [Int]) {
    guard !indices.isEmpty else { return }
    for index in indices { state.entries[index].flags = [] }
    for number in state.directories.indices { state.directories[number].hashed = 0 }
  }

  /// Notes that what was read is in the store.
  mutating func markSaved(below path: TreePath? = nil) {
    var saved: [Int] = []
    forEachEntry(below: path, withDirectories: true) { index, _ in saved.append(index) }
    for index in saved where state.entries[index].isKnown {
      state.entries[index].flags.insert(.saved)
      state.entries[index].savedMode = state.entries[index].mode
      bases[index] = nil
    }
  }
}

/// An entry with the oid of what was read.
struct HashedEntry: Sendable {
  let index: Int
  let entry: StatEntry
}

extension TreeState {
  /// Returns the entry at a path, and the directory it is in.
  func find(_ path: TreePath) -> (entry: Int, directory: Int)? {
    guard isDirectory else { return path.isRoot ? (0, 0) : nil }
    var number = 0
    var found: (Int, Int)?
    for name in path.names {
      if let (index, directory) = found {
        guard let next = directories[directory].firstChild(ofEntry: index, in: self) else { return nil }
        number = next
      }
      guard let index = entry(named: name, in: number) else { return nil }
      found = (index, number)
    }
    return found
  }

  /// Returns what the entry at `path` is in a tree; `nil` if there is nothing.
  ///
  /// - Throws: ``WorkspaceError`` if its content is not known.
  func item(at path: TreePath) throws(WorkspaceError) -> TreeEditor.Item? {
    guard let (index, directory) = find(path) else { return nil }
    return try item(entry: index, in: directory)
  }

  func item(entry index: Int, in directory: Int) throws(WorkspaceError) -> TreeEditor.Item {
    let entry = entries[index]
    guard let mode = EntryMode(rawValue: entry.mode) else { throw WorkspaceError(.corrupt, "Unknown mode.") }
    if mode == .directory {
      guard let child = directories[directory].firstChild(ofEntry: index, in: self), directories[child].isHashed else {
        throw WorkspaceError(.changed, "'\(path(ofEntry: index, in: directory))' was not read.")
      }
      return TreeEditor.Item(
        mode: mode, oid: directories[child].oid,
        totals: TreeTotals(files: directories[child].files, bytes: directories[child].bytes))
    }
    return TreeEditor.Item(mode: mode, oid: entry.oid, totals: TreeTotals(files: 1, bytes: entry.size))
  }

  /// Whether the content of all entries of a directory is known.
  func canBuild(_ number: Int) -> Bool {
    let directory = directories[number]
    return directory.children.allSatisfy { directories[$0].isHashed } && entries[directory.entries].allSatisfy(\.isKnown)
  }

  /// Builds the tree of one directory and keeps its oid and totals.
  mutating func build(_ number: Int, emit: (ObjectID, [UInt8]) -> Void) throws {
    var builder = TreeBuilder()
    var child = Int(directories[number].firstChild)
    for index in directories[number].entries {
      let entry = entries[index]
      let name = try TreeName(Array(self.name(of: entry, in: number)))
      if entry.isDirectory {
        let directory = directories[child]
        child += 1
        try builder.append(
          TreeEntry(name: name, mode: .directory, oid: directory.oid, size: directory.bytes, files: directory.files),
          emit: emit)
      } else {
        let mode = EntryMode(rawValue: entry.mode) ?? .file
        try builder.append(TreeEntry(name: name, mode: mode, oid: entry.oid, size: entry.size), emit: emit)
      }
    }
    let root = try builder.finish(emit: emit)
    directories[number].oid = root.oid
    directories[number].files = root.totals.files
    directories[number].bytes = root.totals.bytes
    directories[number].hashed = 1
  }
}
