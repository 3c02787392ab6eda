import CGit2
public import SystemPackage

/// A working tree of a clone: the main one, or one made by `git worktree add`.
public struct GitWorktree: Hashable, Sendable {
  /// The name in the common directory's `worktrees/`, or `nil` for the main one.
  public let name: String?
  /// Where its `HEAD` and `index` are.
  public let gitDirectory: FilePath
  /// The top of its files; `nil` if the main one is bare. It may be gone, as on a disk that is not mounted.
  public let workDirectory: FilePath?
  public let head: GitHead

  public var indexFile: FilePath { gitDirectory.appending("index") }
}

extension GitRepository {
  /// Returns all working trees of this clone, the main one first, whichever of them this is.
  ///
  /// - Throws: ``GitError/Code/corrupt`` and others if one cannot be read: what it holds must not be taken for garbage.
  public func worktrees() throws(GitError) -> [GitWorktree] {
    var names = unsafe git_strarray()
    try check("list the worktrees of '\(commonDirectory)'") { unsafe git_worktree_list(&names, pointer) }
    defer { unsafe git_strarray_dispose(&names) }
    let main = try GitRepository(openingGitDirectory: commonDirectory)
    var worktrees = [
      GitWorktree(
        name: nil, gitDirectory: main.gitDirectory, workDirectory: main.workDirectory, head: try main.head())
    ]
    for index in 0..<(unsafe names.count) {
      guard let name = unsafe names.strings[index] else { continue }
      let directory = unsafe commonDirectory.appending("worktrees").appending(
        FilePath.Component(platformString: name) ?? FilePath.Component("."))
      let worktree = try GitRepository(openingGitDirectory: directory)
      worktrees.append(
        unsafe GitWorktree(
          name: String(cString: name), gitDirectory: worktree.gitDirectory, workDirectory: worktree.workDirectory,
          head: try worktree.head()))
    }
    return worktrees
  }
}
