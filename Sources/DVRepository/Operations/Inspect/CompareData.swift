import DVGit
import DVObject
import DVStore
public import DVWorkspace

/// Compares two versions of tracked data: the operation behind `dv diff`.
///
/// Without a second revision the data on disk is compared: what is there, not what its pointers say. Data that is not
/// on disk at all is taken to be what its pointer says.
public struct CompareData: Sendable {
  private let old: String?
  private let new: String?
  private let paths: [TreePath]

  /// - Parameters:
  ///   - old: A revision; `nil` for HEAD.
  ///   - new: A revision; `nil` for the data on disk.
  ///   - paths: What to compare, relative to the working tree's root, also parts of tracked directories; nothing for
  ///     all.
  public init(from old: String? = nil, to new: String? = nil, paths: [TreePath] = []) {
    self.old = old
    self.new = new
    self.paths = paths
  }

  /// Compares, and calls `body` with each change, in the order of the paths.
  ///
  /// Renames are found among up to 50,000 changes; beyond, changes are passed on as they are found, so that a million
  /// take no memory. A renaming is passed on where the new path is.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for a path that is tracked in neither version.
  public func run(
    in repository: Repository, progress: ProgressSink, _ body: (DataChange) throws -> Void
  ) async throws -> DataDifference {
    var difference = DataDifference()
    let reader = try repository.dataReader()
    let before = try pointers(at: old ?? "HEAD", in: repository)
    let after = try await newSides(in: repository, besides: before, reader, progress, &difference)
    let known = Set(before.keys).union(after.keys).union(difference.unreadable.map(\.target))
    for path in paths {
      let isTracked = known.contains {
        path.relative(to: $0) != nil || $0.relative(to: path) != nil || PointerFile.path(for: $0) == path
      }
      guard isTracked else {
        throw RepositoryError(
          .usage, "'\(path)' is not tracked by dv in either version.", remedy: "'dv ls' lists what is tracked.")
      }
    }
    var comparison = Comparison(reader: reader, old: old ?? "HEAD", new: new, difference: difference)
    let targets = Set(before.keys).union(after.keys).subtracting(difference.unreadable.map(\.target)).sorted()
    let wholes = WholeRenames(before: before, after: after.mapValues(\.pointer))
    for target in targets {
      try Task.checkCancellation()
      if let change = wholes.change(at: target) {
        if !change.isSource { try comparison.pass(change.change, body) }
        continue
      }
      for inside in parts(of: target) {
        try await comparison.compare(target, inside: inside, before[target], after[target], body)
      }
    }
    try comparison.finish(body)
    return comparison.difference
  }

  /// One target in the newer version.
  struct NewSide {
    let pointer: Pointer
    /// Reads its nodes, if they are not in the store.
    var nodes: NodeReader?
  }

  /// Which parts of a target are asked for; none if it is not.
  private func parts(of target: TreePath) -> [TreePath] {
    if paths.isEmpty || paths.contains(where: { target.relative(to: $0) != nil || $0 == PointerFile.path(for: target) })
    {
      return [.root]
    }
    return paths.compactMap { $0.relative(to: target) }
  }

  private func pointers(at revision: String, in repository: Repository) throws -> [TreePath: Pointer] {
    // Before the first commit there is nothing to compare with.
    if revision == "HEAD", try repository.git.head().commit == nil { return [:] }
    let commit = try repository.git.resolve(revision: revision)
    let data = try repository.data(in: commit, walk: PointerWalk(repository.git))
    return Dictionary(
      data.filter { !parts(of: $0.target).isEmpty }.map { ($0.target, $0.pointer) },
      uniquingKeysWith: { first, _ in first })
  }

  private func newSides(
    in repository: Repository, besides before: [TreePath: Pointer], _ reader: DataReader, _ progress: ProgressSink,
    _ difference: inout DataDifference
  ) async throws -> [TreePath: NewSide] {
    if let new { return try pointers(at: new, in: repository).mapValues { NewSide(pointer: $0) } }
    let selection = try repository.select([])
    difference.unreadable = selection.unreadable.filter { !parts(of: $0.target).isEmpty }
    var sides: [TreePath: NewSide] = [:]
    progress.begin("Looking")
    for item in selection.items where !parts(of: item.data.target).isEmpty {
      let target = item.data.target
      let look = try await repository.look(at: target)
      if look.found == nil { difference.notCheckedOut.append(target) }
      if look.isKnown(as: item.data.pointer) || look.found == nil {
        sides[target] = NewSide(pointer: item.data.pointer)
        continue
      }
      guard let disk = try await look.hashed(progress: progress), let pointer = disk.pointer else { continue }
      // Only time is lost if it cannot be kept, as in a clone of somebody else's.
      if let found = look.found, found.toHash > 0 { try? repository.statCaches.save(disk.cache, of: target) }
      let isChanged = before[target]?.withoutRun != pointer
      sides[target] = NewSide(pointer: pointer, nodes: isChanged ? disk.reader(over: reader.nodes) : nil)
    }
    return sides
  }
}

/// Targets that are the same as a whole under another name.
private struct WholeRenames {
  private var sources: Set<TreePath> = []
  private var changes: [TreePath: DataChange] = [:]

  init(before: [TreePath: Pointer], after: [TreePath: Pointer]) {
    var gone: [Pointer: [TreePath]] = [:]
    for (target, pointer) in before where after[target] == nil && pointer.size > 0 {
      gone[pointer.withoutRun, default: []].append(target)
    }
    for (target, pointer) in after.sorted(by: { $0.key < $1.key }) where before[target] == nil {
      guard let source = gone[pointer.withoutRun]?.min() else { continue }
      gone[pointer.withoutRun]?.removeAll { $0 == source }
      sources.insert(source)
      changes[target] = DataChange(
        path: target, kind: .renamed, old: before[source], new: pointer, previousPath: source)
    }
  }

  /// Returns the renaming that begins or ends at `target`.
  func change(at target: TreePath) -> (change: DataChange, isSource: Bool)? {
    if let change = changes[target] { return (change, false) }
    guard sources.contains(target) else { return nil }
    return changes.values.first { $0.previousPath == target }.map { ($0, true) }
  }
}

/// A comparison under way: finds changes, and holds them back until renames among them are known.
private struct Comparison {
  let reader: DataReader
  let old: String
  let new: String?
  var difference: DataDifference
  private var held: [TreeChange] = []
  private var isStreaming = false
  private static let renameLimit = 50_000

  init(reader: DataReader, old: String, new: String?, difference: DataDifference) {
    self.reader = reader
    self.old = old
    self.new = new
    self.difference = difference
  }

  mutating func compare(
    _ target: TreePath, inside: TreePath, _ before: Pointer?, _ after: CompareData.NewSide?,
    _ body: (DataChange) throws -> Void
  ) async throws {
    if before?.withoutRun == after?.pointer.withoutRun { return }
    let nodes = after?.nodes ?? reader.nodes
    let tree = TreeDifference(readOld: reader.nodes, readNew: nodes)
    let listed = difference.added + difference.removed + difference.modified + UInt64(held.count)
    do {
      let from = try await Self.side(before, inside, reader.nodes)
      let to = try await Self.side(after?.pointer, inside, nodes)
      let path = target.appending(inside)
      let isTree = { (side: TreeChange.Side?) in side?.mode == .directory }
      let (oldFile, newFile) = (isTree(from) ? nil : from, isTree(to) ? nil : to)
      if let change = TreeDifference.change(oldFile, newFile, at: path) { try hold(change, body) }
      if isTree(from) || isTree(to) {
        try await tree.run(from: isTree(from) ? from?.oid : nil, to: isTree(to) ? to?.oid : nil, at: path) {
          try hold($0, body)
        }
      }
    } catch {
      let failure = WorkspaceError(wrapping: error)
      guard failure.isAbsence else { throw (failure.cause as? RepositoryError) ?? error }
      // Files that were found before it turned out stay; without any, the whole is what is known to differ.
      if difference.added + difference.removed + difference.modified + UInt64(held.count) == listed {
        let kind: TreeChange.Kind = before == nil ? .added : after == nil ? .removed : .modified
        try pass(DataChange(path: target, kind: kind, old: before, new: after?.pointer), body)
      }
      let advice = try await remedy(target, before, after?.pointer)
      difference.unlisted.append((target, advice))
    }
  }

  /// Returns what a version has at `inside`.
  private static func side(
    _ pointer: Pointer?, _ inside: TreePath, _ nodes: @escaping NodeReader
  ) async throws -> TreeChange.Side? {
    guard let pointer else { return nil }
    if inside.isRoot { return TreeChange.Side(mode: pointer.mode, oid: pointer.oid, size: pointer.size) }
    guard pointer.kind == .tree, let entry = try await TreeBrowser(read: nodes).entry(at: inside, in: pointer.oid)
    else {
      return nil
    }
    return TreeChange.Side(mode: entry.mode, oid: entry.oid, size: entry.size)
  }

  private func remedy(_ target: TreePath, _ before: Pointer?, _ after: Pointer?) async throws -> String {
    var missing: [String] = []
    if let before, before.kind == .tree, await !isReadable(before.oid) { missing.append("--rev \(old) ") }
    if let after, after.kind == .tree, await !isReadable(after.oid) { missing.append(new.map { "--rev \($0) " } ?? "") }
    if missing.isEmpty { missing = ["--rev \(old) "] }
    return missing.map { "dv fetch \($0)\(target)" }.joined(separator: "; ")
  }

  private func isReadable(_ tree: ObjectID) async -> Bool { (try? await reader.node(tree)) != nil }

  // MARK: - Passing on

  private mutating func hold(_ change: TreeChange, _ body: (DataChange) throws -> Void) throws {
    if isStreaming { return try passOn(DataChange(change), body) }
    held.append(change)
    guard held.count >= Self.renameLimit else { return }
    isStreaming = true
    for change in held { try passOn(DataChange(change), body) }
    held = []
  }

  /// Passes on a change of a whole target.
  mutating func pass(_ change: DataChange, _ body: (DataChange) throws -> Void) throws {
    try release(body)
    try passOn(change, body)
  }

  mutating func finish(_ body: (DataChange) throws -> Void) throws { try release(body) }

  private mutating func release(_ body: (DataChange) throws -> Void) throws {
    for change in held.detectingRenames() { try passOn(DataChange(change), body) }
    held = []
  }

  private mutating func passOn(_ change: DataChange, _ body: (DataChange) throws -> Void) throws {
    difference.count(change)
    try body(change)
  }
}

extension WorkspaceError {
  /// Whether what was needed is neither here nor on a remote that answers.
  fileprivate var isAbsence: Bool {
    if code == .missing { return true }
    if let cause = cause as? RepositoryError { return cause.code == .missing || cause.code == .unreachable }
    if let cause = cause as? StoreError { return cause.code == .unreachable || cause.code == .denied }
    return false
  }
}
