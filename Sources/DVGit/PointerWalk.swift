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
/// For ``pointers(in:under:)`` it keeps, of each tree read, its pointers and those of its directories that have any below.
/// To go over a whole history, ``newPointers(in:)`` keeps less.
public final class PointerWalk {
  private let repository: GitRepository
  private var nodes: [GitObjectID: Node] = [:]
  private var seenTrees: Set<GitObjectID> = []
  private var seenBlobs: Set<GitObjectID> = []

  private typealias NamedBlob = (name: [UInt8], blob: GitObjectID)
  private typealias NamedTree = (name: [UInt8], tree: GitObjectID)

  /// One directory, as far as it matters.
  private struct Node {
    var pointers: [(name: [UInt8], blob: GitObjectID, size: UInt64)] = []
    var directories: [NamedTree] = []
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
      try collect(entry.id, at: path, depth: 0, into: &found)
      return found
    case .file, .executable:
      guard path.isPointerName else { return [] }
      return [GitPointer(path: path, blob: entry.id, size: try repository.blobSize(entry.id))]
    case .symlink, .submodule:
      return []
    }
  }

  /// Returns the pointers of `commit` whose content no earlier call of this has returned.
  ///
  /// Over a whole history this returns every content exactly once, at the first path it was found, and costs what
  /// changed between the commits: it keeps the IDs of the trees and pointers seen, and nothing else.
  public func newPointers(in commit: GitObjectID) throws(GitError) -> [GitPointer] {
    var found: [GitPointer] = []
    try collectNew(try repository.treeID(of: commit), at: .root, depth: 0, into: &found)
    return found
  }

  private func collectNew(
    _ tree: GitObjectID, at path: GitPath, depth: Int, into found: inout [GitPointer]
  ) throws(GitError) {
    guard seenTrees.insert(tree).inserted else { return }
    let (pointers, directories) = try read(tree, depth: depth)
    for pointer in pointers where seenBlobs.insert(pointer.blob).inserted {
      found.append(
        GitPointer(path: path.appending(pointer.name), blob: pointer.blob, size: try repository.blobSize(pointer.blob)))
    }
    for directory in directories {
      try collectNew(directory.tree, at: path.appending(directory.name), depth: depth + 1, into: &found)
    }
  }

  private func collect(_ tree: GitObjectID, at path: GitPath, depth: Int, into found: inout [GitPointer])
    throws(GitError)
  {
    let node = try node(tree, depth: depth)
    for pointer in node.pointers {
      found.append(GitPointer(path: path.appending(pointer.name), blob: pointer.blob, size: pointer.size))
    }
    for directory in node.directories {
      try collect(directory.tree, at: path.appending(directory.name), depth: depth + 1, into: &found)
    }
  }

  private func node(_ id: GitObjectID, depth: Int) throws(GitError) -> Node {
    if let known = nodes[id] { return known }
    let (pointers, directories) = try read(id, depth: depth)
    var node = Node()
    for pointer in pointers {
      node.pointers.append((pointer.name, pointer.blob, try repository.blobSize(pointer.blob)))
    }
    for directory in directories where try !self.node(directory.tree, depth: depth + 1).isEmpty {
      node.directories.append(directory)
    }
    nodes[id] = node
    return node
  }

  /// Reads one tree: its pointers, and all its directories.
  private func read(_ id: GitObjectID, depth: Int) throws(GitError) -> (pointers: [NamedBlob], directories: [NamedTree])
  {
    guard depth < Self.maximumDepth else {
      throw GitError(.corrupt, "Tree \(id.shortHex) lies \(depth) directories deep, more than git allows.")
    }
    let tree = unsafe try repository.lookUpTree(id)
    defer { unsafe git_tree_free(tree) }
    var (pointers, directories): ([NamedBlob], [NamedTree]) = ([], [])
    for index in 0..<(unsafe git_tree_entrycount(tree)) {
      guard let entry = unsafe git_tree_entry_byindex(tree, index),
        let kind = unsafe GitTreeEntry.Kind(git_tree_entry_filemode(entry)), kind != .symlink, kind != .submodule
      else { continue }
      let name = unsafe bytes(of: git_tree_entry_name(entry))
      let target = unsafe GitObjectID(git_tree_entry_id(entry).pointee)
      if kind == .directory {
        directories.append((name, target))
      } else if GitPath.isPointerName(name) {
        pointers.append((name, target))
      }
    }
    return (pointers, directories)
  }
}
