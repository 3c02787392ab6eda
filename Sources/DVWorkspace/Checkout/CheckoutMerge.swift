import DVObject

/// Merges the wanted version with what is on disk into a plan, directory by directory.
struct CheckoutMerge {
  var plan: CheckoutPlan
  let disk: TreeState?
  let bases: [Int: SavedContent]
  /// Whether it is known what was saved.
  let hasBaseline: Bool
  let isForced: Bool
  let read: NodeReader
  let isStored: @Sendable (ObjectID) async throws -> Bool

  /// A directory of the plan that is still to be filled.
  private struct Pending {
    enum Source {
      /// From the nodes of the wanted tree.
      case tree(ObjectID)
      /// As it is on disk, and known to be what is wanted.
      case same
      /// As it is on disk, because it is not asked for.
      case untouched
    }

    var source: Source
    /// What is there on disk.
    var disk: Int?
    var path: TreePath
    var parent: Int
    var entryInParent: Int
    /// Names that lead to the only part that is wanted; empty for all.
    var only: ArraySlice<[UInt8]>
  }

  private var queue: [Pending] = []

  init(
    plan: CheckoutPlan, disk: TreeState?, bases: [Int: SavedContent], hasBaseline: Bool, isForced: Bool,
    read: @escaping NodeReader, isStored: @escaping @Sendable (ObjectID) async throws -> Bool
  ) {
    self.plan = plan
    self.disk = disk
    self.bases = bases
    self.hasBaseline = hasBaseline
    self.isForced = isForced
    self.read = read
    self.isStored = isStored
  }

  // MARK: - A file

  mutating func file(_ pointer: Pointer) async throws {
    let mode = pointer.executable ? EntryMode.executable : .file
    var entry = StatEntry(mode: mode, oid: pointer.oid, size: pointer.size)
    var action = CheckoutPlan.Action.create
    if let disk, disk.isDirectory {
      plan.replacesRoot = true
      try await removeAll(in: 0, path: .root, becauseReplaced: true)
      plan.removals.append(.directory(.root))
    } else if let disk, let there = disk.entries.first {
      action = try await decide(there, at: 0, path: .root, wantedMode: mode, wantedOID: pointer.oid)
      note(action, there, at: 0, in: &entry)
      plan.wanted.device = disk.device
    }
    plan.wanted.entries = [entry]
    plan.actions = [action]
  }

  // MARK: - A directory

  mutating func tree(_ pointer: Pointer, only path: TreePath) async throws {
    var start: Int? = 0
    if let disk, !disk.isDirectory {
      plan.replacesRoot = true
      if try await mayRemove(disk.entries[0], at: 0, path: .root, becauseReplaced: true) {
        plan.removals.append(.file(disk.entries[0], .root))
      }
      start = nil
    }
    queue = [
      Pending(
        source: .tree(pointer.oid), disk: disk == nil ? nil : start, path: .root, parent: 0, entryInParent: 0,
        only: path.names[...])
    ]
    var next = 0
    while next < queue.count {
      let pending = queue[next]
      // Large queues are emptied from the front now and then, so that they do not hold what is done.
      next += 1
      if next == 4096 {
        queue.removeFirst(next)
        next = 0
      }
      try await fill(pending)
    }
    var following = 1
    for number in plan.wanted.directories.indices {
      plan.wanted.directories[number].firstChild = UInt32(following)
      following += Int(plan.wanted.directories[number].childCount)
    }
  }

  private mutating func fill(_ pending: Pending) async throws {
    let number = plan.wanted.directories.count
    var directory = StatDirectory(
      oid: .none, device: 0, inode: 0, files: 0, bytes: 0, namesOffset: UInt64(plan.wanted.names.count), namesLength: 0,
      firstEntry: UInt32(plan.wanted.entries.count), entryCount: 0, firstChild: 0, childCount: 0,
      parent: UInt32(pending.parent), entryInParent: UInt32(pending.entryInParent), hashed: 0)
    if let there = pending.disk, let disk {
      directory.device = disk.directories[there].device
      directory.inode = disk.directories[there].inode
    }
    var source = pending.source
    if case .tree(let oid) = source, pending.only.isEmpty {
      // What the version has here, which its tree must turn out to be at the end.
      directory.oid = oid
      if let there = pending.disk, let disk, disk.directories[there].isHashed, disk.directories[there].oid == oid { source = .same }
    }
    plan.wanted.directories.append(directory)
    switch source {
    case .tree(let oid):
      if let name = pending.only.first {
        let leaf = try await DirectoryNodes.read(oid, mayHold: name, with: read)
        try await mergeOne(leaf, with: pending, into: number)
      } else {
        try await merge(try await DirectoryNodes.read(oid, with: read), with: pending, into: number)
      }
    case .same, .untouched:
      guard let there = pending.disk, let disk else { break }
      let isSame = if case .same = source { true } else { false }
      if isSame {
        plan.wanted.directories[number].oid = disk.directories[there].oid
        plan.wanted.directories[number].files = disk.directories[there].files
        plan.wanted.directories[number].bytes = disk.directories[there].bytes
        plan.wanted.directories[number].hashed = 1
      }
      for index in disk.directories[there].entries { copy(index, in: there, isSame: isSame, pending, into: number) }
    }
    let end = plan.wanted.names.count
    plan.wanted.directories[number].namesLength = UInt64(end) - plan.wanted.directories[number].namesOffset
  }

  /// Merges all wanted entries of a directory with all that are there.
  private mutating func merge(_ nodes: DirectoryNodes, with pending: Pending, into number: Int) async throws {
    var there = pending.disk.flatMap { disk?.directories[$0].entries } ?? 0..<0
    for leaf in nodes.leaves {
      for item in leaf.items {
        while let first = there.first, let state = disk, let directory = pending.disk {
          let name = state.name(of: state.entries[first], in: directory)
          guard name.lexicographicallyPrecedes(item.name) else { break }
          try await leaveOrRemove(first, in: directory, path: pending.path.appending(name))
          there.removeFirst()
        }
        var match: Int?
        if let first = there.first, let state = disk, let directory = pending.disk,
          state.name(of: state.entries[first], in: directory).elementsEqual(item.name)
        {
          match = first
          there.removeFirst()
        }
        try await add(item, match: match, with: pending, into: number)
      }
    }
    while let first = there.first, let state = disk, let directory = pending.disk {
      let name = state.name(of: state.entries[first], in: directory)
      try await leaveOrRemove(first, in: directory, path: pending.path.appending(name))
      there.removeFirst()
    }
  }

  /// Takes one wanted name, and everything else as it is on disk.
  private mutating func mergeOne(_ nodes: DirectoryNodes, with pending: Pending, into number: Int) async throws {
    guard let name = pending.only.first else { return }
    guard let item = nodes.leaves.lazy.flatMap(\.items).first(where: { $0.name.elementsEqual(name) }),
      pending.only.count == 1 || item.mode == .directory
    else {
      let path = target.appending(pending.path).appending(name)
      throw WorkspaceError(.notFound, "The version of '\(target)' that is asked for has no '\(path)'.", paths: [path])
    }
    var isAdded = false
    for index in pending.disk.flatMap({ disk?.directories[$0].entries }) ?? 0..<0 {
      guard let disk, let directory = pending.disk else { break }
      let there = disk.name(of: disk.entries[index], in: directory)
      if !isAdded, !there.lexicographicallyPrecedes(name) {
        isAdded = true
        let isMatch = there.elementsEqual(name)
        try await add(item, match: isMatch ? index : nil, with: pending, into: number)
        if isMatch { continue }
      }
      copy(index, in: directory, isSame: false, pending, into: number)
    }
    if !isAdded { try await add(item, match: nil, with: pending, into: number) }
  }

  private var target: TreePath { plan.target }

  /// Adds a wanted entry.
  private mutating func add(
    _ item: TreeNode.Item, match: Int?, with pending: Pending, into number: Int
  ) async throws {
    guard let mode = item.mode else { return }
    let path = pending.path.appending(item.name)
    var entry = StatEntry(mode: mode, oid: item.oid, size: mode == .directory ? 0 : item.size)
    var action = CheckoutPlan.Action.create
    var child: Int?
    if let match, let disk, let directory = pending.disk {
      let there = disk.entries[match]
      if mode == .directory {
        if there.isDirectory {
          child = disk.directories[directory].firstChild(ofEntry: match, in: disk)
          action = .keep
        } else if try await mayRemove(there, at: match, path: path, becauseReplaced: true) {
          plan.removals.append(.file(there, path))
        }
      } else if there.isDirectory {
        if let inner = disk.directories[directory].firstChild(ofEntry: match, in: disk) {
          try await removeAll(in: inner, path: path, becauseReplaced: true)
          plan.removals.append(.directory(path))
        }
      } else {
        action = try await decide(there, at: match, path: path, wantedMode: mode, wantedOID: item.oid)
        note(action, there, at: match, in: &entry)
      }
    }
    append(&entry, name: item.name, action: action, into: number)
    if mode == .directory {
      enqueue(
        Pending(
          source: .tree(item.oid), disk: child, path: path, parent: number, entryInParent: 0,
          only: pending.only.dropFirst()), of: number)
    }
  }

  /// Takes over an entry as it is on disk.
  private mutating func copy(_ index: Int, in directory: Int, isSame: Bool, _ pending: Pending, into number: Int) {
    guard let disk else { return }
    var entry = disk.entries[index]
    let name = disk.name(of: entry, in: directory)
    if isSame {
      entry.flags.insert(.saved)
      entry.savedMode = entry.mode
    } else if let base = bases[index] {
      plan.bases[plan.wanted.entries.count] = base
    }
    append(&entry, name: name, action: .keep, into: number)
    if entry.isDirectory {
      enqueue(
        Pending(
          source: isSame ? .same : .untouched, disk: disk.directories[directory].firstChild(ofEntry: index, in: disk),
          path: pending.path.appending(name), parent: number, entryInParent: 0, only: []), of: number)
    }
  }

  private mutating func append(
    _ entry: inout StatEntry, name: ArraySlice<UInt8>, action: CheckoutPlan.Action, into number: Int
  ) {
    entry.nameOffset = UInt32(plan.wanted.names.count - Int(plan.wanted.directories[number].namesOffset))
    entry.nameLength = UInt8(name.count)
    plan.wanted.names += name
    plan.wanted.names.append(0)
    plan.wanted.entries.append(entry)
    plan.actions.append(action)
    plan.wanted.directories[number].entryCount += 1
  }

  private mutating func enqueue(_ pending: Pending, of number: Int) {
    var pending = pending
    pending.entryInParent = Int(plan.wanted.directories[number].entryCount) - 1
    plan.wanted.directories[number].childCount += 1
    queue.append(pending)
  }

  // MARK: - Decisions

  /// Decides about a file or link that is there and one that is wanted.
  private mutating func decide(
    _ there: StatEntry, at index: Int, path: TreePath, wantedMode: EntryMode, wantedOID: ObjectID
  ) async throws -> CheckoutPlan.Action {
    let sameContent = there.flags.contains(.hashed) && there.oid == wantedOID
    let isLink = there.mode == EntryMode.symlink.rawValue || wantedMode == .symlink
    if sameContent && there.mode == wantedMode.rawValue { return .keep }
    if let base = bases[index], base == SavedContent(oid: wantedOID, mode: wantedMode.rawValue), !isForced {
      return .keepModified
    }
    if sameContent && !isLink && (there.flags.contains(.saved) || isForced || bases[index] == nil) { return .setMode }
    _ = try await mayRemove(there, at: index, path: path, becauseReplaced: true)
    return .replace
  }

  /// Fills in what is known of an entry before anything is written.
  private mutating func note(
    _ action: CheckoutPlan.Action, _ there: StatEntry, at index: Int, in entry: inout StatEntry
  ) {
    let place = plan.wanted.entries.count
    switch action {
    case .keep:
      entry = there
      entry.flags.insert(.saved)
      entry.savedMode = entry.mode
    case .keepModified:
      entry = there
      plan.bases[place] = bases[index]
    case .replace, .setMode:
      plan.replaced[place] = there
    case .create: break
    }
  }

  /// Returns whether a file or link may go, and notes a conflict if not.
  private mutating func mayRemove(
    _ there: StatEntry, at index: Int, path: TreePath, becauseReplaced: Bool
  ) async throws -> Bool {
    if isForced || there.flags.contains([.hashed, .saved]) { return true }
    if bases[index] != nil {
      plan.conflicts.append(CheckoutPlan.Conflict(path: target.appending(path), reason: .modified))
      return false
    }
    if !hasBaseline, there.flags.contains(.hashed) {
      if there.size == 0 { return true }
      if try await isStored(there.oid) { return true }
    }
    plan.conflicts.append(CheckoutPlan.Conflict(path: target.appending(path), reason: .untracked))
    return false
  }

  /// Handles an entry that is there and not wanted.
  private mutating func leaveOrRemove(_ index: Int, in directory: Int, path: TreePath) async throws {
    guard let disk else { return }
    let there = disk.entries[index]
    if there.isDirectory {
      guard let child = disk.directories[directory].firstChild(ofEntry: index, in: disk) else { return }
      try await removeAll(in: child, path: path, becauseReplaced: false)
      if there.flags.contains(.saved) { plan.removals.append(.directory(path)) }
    } else if there.flags.contains(.saved) || bases[index] != nil {
      if try await mayRemove(there, at: index, path: path, becauseReplaced: false) {
        plan.removals.append(.file(there, path))
      }
    } else {
      plan.untrackedCount += 1
    }
  }

  /// Handles all that is in a directory that is not wanted.
  ///
  /// - Parameter becauseReplaced: Whether something else takes the directory's name, so that nothing in it can stay.
  private mutating func removeAll(in number: Int, path: TreePath, becauseReplaced: Bool) async throws {
    guard let disk else { return }
    var waiting = [(number, path)]
    var directories: [TreePath] = []
    while let (current, path) = waiting.popLast() {
      for index in disk.directories[current].entries {
        let there = disk.entries[index]
        let inner = path.appending(disk.name(of: there, in: current))
        if there.isDirectory {
          if let child = disk.directories[current].firstChild(ofEntry: index, in: disk) { waiting.append((child, inner)) }
          if becauseReplaced || there.flags.contains(.saved) { directories.append(inner) }
        } else if becauseReplaced {
          if try await mayRemove(there, at: index, path: inner, becauseReplaced: true) {
            plan.removals.append(.file(there, inner))
          }
        } else {
          try await leaveOrRemove(index, in: current, path: inner)
        }
      }
    }
    // The deepest first: each was found after the one that holds it.
    for directory in directories.reversed() { plan.removals.append(.directory(directory)) }
  }
}

extension CheckoutPlan.Removal {
  static func directory(_ path: TreePath) -> Self {
    Self(path: path, isDirectory: true, inode: 0, size: 0, modified: 0, changed: 0)
  }

  static func file(_ entry: StatEntry, _ path: TreePath) -> Self {
    Self(
      path: path, isDirectory: false, inode: entry.inode, size: entry.size, modified: entry.modified,
      changed: entry.changed)
  }
}

extension StatEntry {
  /// Makes the entry of something that is not on disk yet.
  init(mode: EntryMode, oid: ObjectID, size: UInt64) {
    self.init(
      oid: oid, inode: 0, size: size, modified: Self.noTime, changed: Self.noTime, nameOffset: 0, nameLength: 0,
      mode: mode.rawValue, flags: .saved, savedMode: mode.rawValue)
  }
}
