public import DVObject

/// Compares two trees.
///
/// Equal subtrees and, in large directories, equal nodes are not read: it costs what differs. Changes are passed on as
/// they are found, in the order of the tree.
public struct TreeDifference: Sendable {
  private let readOld: NodeReader
  private let readNew: NodeReader

  /// - Parameters:
  ///   - readOld: Reads nodes of the old tree.
  ///   - readNew: Reads nodes of the new tree.
  public init(readOld: @escaping NodeReader, readNew: @escaping NodeReader) {
    self.readOld = readOld
    self.readNew = readNew
  }

  /// Compares, and calls `body` with each change.
  ///
  /// - Parameters:
  ///   - old: The root node of the old tree; `nil` for a tree that was not there.
  ///   - new: The root node of the new tree; likewise.
  ///   - path: What paths begin with.
  /// - Throws: ``WorkspaceError``, also for what `body` throws.
  public func run(
    from old: ObjectID?, to new: ObjectID?, at path: TreePath = .root, _ body: (TreeChange) throws -> Void
  ) async throws(WorkspaceError) {
    do { try await compare(old, new, at: path, depth: 0, body) } catch { throw WorkspaceError(wrapping: error) }
  }

  /// Returns all changes between two pointers, either of which may be absent.
  public func changes(
    from old: Pointer?, to new: Pointer?, at path: TreePath = .root
  ) async throws(WorkspaceError) -> [TreeChange] {
    if old?.withoutRun == new?.withoutRun { return [] }
    var changes: [TreeChange] = []
    let oldTree = old?.kind == .tree ? old?.oid : nil
    let newTree = new?.kind == .tree ? new?.oid : nil
    let oldFile = old?.side
    let newFile = new?.side
    if let change = Self.change(oldFile, newFile, at: path) { changes.append(change) }
    if oldTree != nil || newTree != nil {
      try await run(from: oldTree, to: newTree, at: path) { changes.append($0) }
    }
    return changes
  }

  /// Returns what differs between two files, links or nothing.
  public static func change(_ old: TreeChange.Side?, _ new: TreeChange.Side?, at path: TreePath) -> TreeChange? {
    switch (old, new) {
    case (nil, nil): return nil
    case (nil, .some): return TreeChange(path: path, kind: .added, old: old, new: new)
    case (.some, nil): return TreeChange(path: path, kind: .removed, old: old, new: new)
    case (.some(let before), .some(let after)):
      if before == after { return nil }
      let isFile = { (mode: EntryMode) in mode == .file || mode == .executable }
      let kind: TreeChange.Kind =
        before.mode != after.mode && !(isFile(before.mode) && isFile(after.mode))
        ? .type : before.oid == after.oid ? .mode : .modified
      return TreeChange(path: path, kind: kind, old: old, new: new)
    }
  }

  private func compare(
    _ old: ObjectID?, _ new: ObjectID?, at path: TreePath, depth: Int, _ body: (TreeChange) throws -> Void
  ) async throws {
    if old == new { return }
    guard depth <= TreeScan.maximumDepth else {
      throw WorkspaceError(.corrupt, "A tree is deeper than \(TreeScan.maximumDepth) directories.")
    }
    let (before, after) = try await differingLeaves(old, new)
    var left = before.lazy.flatMap { $0.items.lazy.compactMap(\.entry) }.makeIterator()
    var right = after.lazy.flatMap { $0.items.lazy.compactMap(\.entry) }.makeIterator()
    var a = left.next()
    var b = right.next()
    while a != nil || b != nil {
      if let first = a, let second = b, first.name == second.name {
        try await report(first, second, at: path.appending(first.name.bytes), depth: depth, body)
        a = left.next()
        b = right.next()
      } else if let first = a, b.map({ first.name < $0.name }) ?? true {
        try await report(first, nil, at: path.appending(first.name.bytes), depth: depth, body)
        a = left.next()
      } else if let second = b {
        try await report(nil, second, at: path.appending(second.name.bytes), depth: depth, body)
        b = right.next()
      }
    }
  }

  private func report(
    _ old: TreeEntry?, _ new: TreeEntry?, at path: TreePath, depth: Int, _ body: (TreeChange) throws -> Void
  ) async throws {
    if old == new { return }
    // An empty directory has nothing below that could be named, so it is named itself.
    let oldSide = old.flatMap { $0.mode != .directory || ($0.files == 0 && $0.size == 0) ? $0.side : nil }
    let newSide = new.flatMap { $0.mode != .directory || ($0.files == 0 && $0.size == 0) ? $0.side : nil }
    let isDirectoryInBoth = old?.mode == .directory && new?.mode == .directory
    if !isDirectoryInBoth, let change = Self.change(oldSide, newSide, at: path) { try body(change) }
    let oldTree = old?.mode == .directory ? old?.oid : nil
    let newTree = new?.mode == .directory ? new?.oid : nil
    if oldTree != nil || newTree != nil { try await compare(oldTree, newTree, at: path, depth: depth + 1, body) }
  }

  /// Reads the nodes with entries of two directories, without those that both have.
  ///
  /// Going down level by level, a node that stands on both sides is left out of both: its entries are equal, and all names
  /// between its first and its last are in it.
  private func differingLeaves(_ old: ObjectID?, _ new: ObjectID?) async throws -> ([TreeNode], [TreeNode]) {
    var before: [TreeNode] = []
    var after: [TreeNode] = []
    if let old { before = [try await root(old, readOld)] }
    if let new { after = [try await root(new, readNew)] }
    while true {
      let level = max(before.first?.level ?? 0, after.first?.level ?? 0)
      if level == 0 { return (before, after) }
      let oldItems = items(of: before, at: level)
      let newItems = items(of: after, at: level)
      let known = oldItems.map { Set($0.map(\.item.oid)) } ?? []
      let shared = newItems.map { known.intersection($0.map(\.item.oid)) } ?? []
      if let oldItems { before = try await children(oldItems, without: shared, readOld) }
      if let newItems { after = try await children(newItems, without: shared, readNew) }
    }
  }

  private func root(_ id: ObjectID, _ read: NodeReader) async throws -> TreeNode {
    try TreeNode(decoding: try await read(id), isRoot: true)
  }

  private struct Step {
    let item: TreeNode.Item
    let previous: TreeNode.Item?
    let level: Int
  }

  /// Returns the items of nodes that are of `level`; `nil` if they are of a lower one and wait.
  private func items(of nodes: [TreeNode], at level: Int) -> [Step]? {
    guard let first = nodes.first, first.level == level else { return nil }
    return nodes.flatMap { node in
      node.items.indices.map { index in
        Step(item: node.items[index], previous: index > 0 ? node.items[index - 1] : nil, level: level)
      }
    }
  }

  private func children(
    _ steps: [Step], without shared: Set<ObjectID>, _ read: NodeReader
  ) async throws -> [TreeNode] {
    var nodes: [TreeNode] = []
    for step in steps where !shared.contains(step.item.oid) {
      let node = try TreeNode(decoding: try await read(step.item.oid))
      try node.check(as: step.item, ofLevel: step.level, after: step.previous)
      nodes.append(node)
    }
    return nodes
  }
}

extension TreeEntry {
  fileprivate var side: TreeChange.Side { TreeChange.Side(mode: mode, oid: oid, size: size) }
}

extension Pointer {
  /// The file that the pointer stands for; `nil` for a tree.
  fileprivate var side: TreeChange.Side? {
    guard kind == .file else { return nil }
    return TreeChange.Side(mode: executable ? .executable : .file, oid: oid, size: size)
  }
}
