import DVGit
import DVWorkspace
import Synchronization
import SystemPackage

/// Asks git whether it ignores a path, from any task.
///
/// Opens the repository anew on first use, because libgit2's objects belong to one thread at a time; the lock sees to it.
final class IgnoreQuestion: Sendable {
  private let root: FilePath
  /// As named by `GIT_DIR`; `nil` to look for it.
  private let gitDirectory: FilePath?
  private let repository = Mutex<GitRepository?>(nil)

  init(_ root: FilePath, gitDirectory: FilePath?) {
    self.root = root
    self.gitDirectory = gitDirectory
  }

  func isIgnored(_ path: TreePath, isDirectory: Bool) throws -> Bool {
    let bytes = path.bytes
    let (root, gitDirectory) = (root, gitDirectory)
    return try repository.withLock { repository in
      let git: GitRepository
      if let open = repository { git = open } else {
        git = try GitRepository(discoveringFrom: root, gitDirectory: gitDirectory, workTree: gitDirectory == nil ? nil : root)
      }
      let answer = try git.isIgnored(try GitPath(bytes), isDirectory: isDirectory)
      repository = git
      return answer
    }
  }
}
