import CGit2

/// A file, link or submodule of a commit.
public struct GitFile: Hashable, Sendable {
  public let path: GitPath
  public let kind: GitTreeEntry.Kind
  /// The blob, or the commit of a submodule.
  public let id: GitObjectID
}

extension GitRepository {
  /// Returns all files of `commit` below the directory `path`, in the order of git's trees; none if there is no such
  /// directory.
  ///
  /// - Complexity: O(trees and files below `path`). Reads no blob.
  public func files(in commit: GitObjectID, under path: GitPath = .root) throws(GitError) -> [GitFile] {
    guard let entry = try entry(at: path, in: commit), entry.kind == .directory else { return [] }
    var found: [GitFile] = []
    try collect(entry.id, at: path, depth: 0, into: &found)
    return found
  }

  private func collect(_ id: GitObjectID, at path: GitPath, depth: Int, into found: inout [GitFile]) throws(GitError) {
    // As git refuses them (core.maxTreeDepth).
    guard depth < 2048 else { throw GitError(.corrupt, "Tree \(id.shortHex) lies \(depth) directories deep.") }
    let tree = unsafe try lookUpTree(id)
    defer { unsafe git_tree_free(tree) }
    for index in 0..<(unsafe git_tree_entrycount(tree)) {
      guard let entry = unsafe git_tree_entry_byindex(tree, index),
        let kind = unsafe GitTreeEntry.Kind(git_tree_entry_filemode(entry))
      else { continue }
      let inner = unsafe path.appending(bytes(of: git_tree_entry_name(entry)))
      let target = unsafe GitObjectID(git_tree_entry_id(entry).pointee)
      if kind == .directory {
        try collect(target, at: inner, depth: depth + 1, into: &found)
      } else {
        found.append(GitFile(path: inner, kind: kind, id: target))
      }
    }
  }

  /// Makes the index of this working tree hold what `commit` holds, whatever is on disk.
  public func fillIndex(from commit: GitObjectID) throws(GitError) {
    let tree = unsafe try lookUpTree(try treeID(of: commit))
    defer { unsafe git_tree_free(tree) }
    let index = unsafe try make("open the index of '\(gitDirectory)'") { unsafe git_repository_index(&$0, pointer) }
    defer { unsafe git_index_free(index) }
    try check("fill the index of '\(gitDirectory)'") { unsafe git_index_read_tree(index, tree) }
    try check("write the index of '\(gitDirectory)'") { unsafe git_index_write(index) }
  }
}
