import CGit2

/// What stands under a name in a commit.
public struct GitTreeEntry: Hashable, Sendable {
  public enum Kind: Sendable { case file, executable, symlink, directory, submodule }

  public let kind: Kind
  /// The blob, the tree, or the commit of a submodule.
  public let id: GitObjectID
}

extension GitTreeEntry.Kind {
  init?(_ mode: git_filemode_t) {
    switch mode {
    case GIT_FILEMODE_BLOB: self = .file
    case GIT_FILEMODE_BLOB_EXECUTABLE: self = .executable
    case GIT_FILEMODE_LINK: self = .symlink
    case GIT_FILEMODE_TREE: self = .directory
    case GIT_FILEMODE_COMMIT: self = .submodule
    default: return nil
    }
  }
}

extension GitRepository {
  /// Returns what stands at `path` in `commit`, or `nil` if nothing does.
  public func entry(at path: GitPath, in commit: GitObjectID) throws(GitError) -> GitTreeEntry? {
    let root = try treeID(of: commit)
    guard !path.isRoot else { return GitTreeEntry(kind: .directory, id: root) }
    let tree = unsafe try lookUpTree(root)
    defer { unsafe git_tree_free(tree) }
    var found: OpaquePointer?
    let exists = try find("find '\(path)' in commit \(commit.shortHex)") {
      unsafe path.withCString { unsafe git_tree_entry_bypath(&found, tree, $0) }
    }
    guard exists, let found = unsafe found else { return nil }
    defer { unsafe git_tree_entry_free(found) }
    guard let kind = unsafe GitTreeEntry.Kind(git_tree_entry_filemode(found)) else { return nil }
    return unsafe GitTreeEntry(kind: kind, id: GitObjectID(git_tree_entry_id(found).pointee))
  }

  /// Returns the content of the file at `path` in `commit`, or `nil` if no file is there.
  ///
  /// - Parameter limit: the most bytes to read; a larger file is refused before it is read.
  public func readBlob(at path: GitPath, in commit: GitObjectID, limit: Int) throws(GitError) -> [UInt8]? {
    guard let entry = try entry(at: path, in: commit), entry.kind == .file || entry.kind == .executable else {
      return nil
    }
    return try readBlob(entry.id, limit: limit)
  }

  /// Returns the tree of a commit.
  func treeID(of id: GitObjectID) throws(GitError) -> GitObjectID {
    var oid = id.oid
    let commit = unsafe try make("read commit \(id.shortHex)") { unsafe git_commit_lookup(&$0, pointer, &oid) }
    defer { unsafe git_commit_free(commit) }
    return unsafe GitObjectID(git_commit_tree_id(commit).pointee)
  }

  /// Returns libgit2's tree. The caller frees it.
  func lookUpTree(_ id: GitObjectID) throws(GitError) -> OpaquePointer {
    var oid = id.oid
    return unsafe try make("read tree \(id.shortHex)") { unsafe git_tree_lookup(&$0, pointer, &oid) }
  }
}
