import CGit2

/// A file of a commit that is named like a pointer.
public struct GitPointer: Hashable, Sendable {
  public let path: GitPath
  public let blob: GitObjectID
  /// In bytes.
  public let size: UInt64
}

/// Finds the pointers of many commits, reading each tree once however many commits share it.
///
/// Of a tree it keeps its pointers and those of its directories that have any below, so that memory grows with what
/// was found and not with what was read; of every tree read it keeps 20 bytes of ID.
public final class PointerWalk {
  private let repository: GitRepository
  private var nodes: [GitObjectID: Node] = [:]
  private var returned: Set<GitObjectID> = []

  /// One directory, as far as it matters.
  private struct Node {
    var pointers: [(name: [UInt8], blob: GitObjectID, size: UInt64)] = []
    var directories: [(name: [UInt8], tree: GitObjectID)] = []
    var isEmpty: Bool { pointers.isEmpty && directories.isEmpty }
  }

  /// Deeper trees are refused, as git refuses them (`core.maxTreeDepth`).
  private static let maximumDepth = 2048

  public init(_ repository: GitRepository) { self.repository = repository }

  /// Returns all pointers of `commit` at or below `path`, by directory.
  ///
  /// - Complexity: O(trees not read before + pointers found).
  public func pointers(in commit: GitObjectID, under path: GitPath = .root) throws(GitError) -> [GitPointer] {
    guard let entry = try repository.entry(at: path, in: commit) else { return [] }
    switch entry.kind {
    case .directory:
      var found: [GitPointer] = []
      try collect(entry.id, at: path, depth: 0, onlyNew: false, into: &found)
      return found
    case .file, .executable:
      guard path.isPointerName else { return [] }
      return [GitPointer(path: path, blob: entry.id, size: try repository.blobSize(entry.id))]
    case .symlink, .submodule:
      return []
    }
  }

  /// Returns the pointers of `commit` that lie in a directory whose content no earlier call of this has returned.
  ///
  /// Over a whole history this returns every pointer at least once and costs what changed between the commits. A
  /// directory with the same content at a second path counts as returned.
  public func newPointers(in commit: GitObjectID) throws(GitError) -> [GitPointer] {
    var found: [GitPointer] = []
    try collect(try repository.treeID(of: commit), at: .root, depth: 0, onlyNew: true, into: &found)
    return found
  }

  private func collect(
    _ tree: GitObjectID, at path: GitPath, depth: Int, onlyNew: Bool, into found: inout [GitPointer]
  ) throws(GitError) {
    if onlyNew, !returned.insert(tree).inserted { return }
    let node = try node(tree, depth: depth)
    for pointer in node.pointers {
      found.append(GitPointer(path: path.appending(pointer.name), blob: pointer.blob, size: pointer.size))
    }
    for directory in node.directories {
      try collect(
        directory.tree, at: path.appending(directory.name), depth: depth + 1, onlyNew: onlyNew, into: &found)
    }
  }

  private func node(_ id: GitObjectID, depth: Int) throws(GitError) -> Node {
    if let known = nodes[id] { return known }
    guard depth < Self.maximumDepth else {
      throw GitError(.corrupt, "Tree \(id.shortHex) lies \(depth) directories deep, more than git allows.")
    }
    var (node, below) = try read(id)
    for directory in below where try !self.node(directory.tree, depth: depth + 1).isEmpty {
      node.directories.append(directory)
    }
    nodes[id] = node
    return node
  }

  /// Reads one tree: its pointers, and all its directories.
  private func read(_ id: GitObjectID) throws(GitError) -> (Node, [(name: [UInt8], tree: GitObjectID)]) {
    let tree = unsafe try repository.lookUpTree(id)
    defer { unsafe git_tree_free(tree) }
    var node = Node()
    var directories: [(name: [UInt8], tree: GitObjectID)] = []
    for index in 0..<(unsafe git_tree_entrycount(tree)) {
      guard let entry = unsafe git_tree_entry_byindex(tree, index), let kind = unsafe GitTreeEntry.Kind(git_tree_entry_filemode(entry))
      else { continue }
      let name = unsafe bytes(of: git_tree_entry_name(entry))
      let target = unsafe GitObjectID(git_tree_entry_id(entry).pointee)
      switch kind {
      case .directory: directories.append((name, target))
      case .file, .executable:
        guard GitPath.isPointerName(name) else { continue }
        node.pointers.append((name, target, try repository.blobSize(target)))
      case .symlink, .submodule: continue
      }
    }
    return (node, directories)
  }
}
