import CGit2
public import SystemPackage

/// An open git repository: a clone, a linked worktree, a submodule or a bare one.
///
/// Opens what git would open from the same place. Not `Sendable`: a `git_repository` keeps caches without locks, so it
/// belongs to one thread at a time, and the compiler sees to that.
@safe public final class GitRepository {
  let pointer: OpaquePointer
  /// The object database, which reads headers and contents without making objects of them.
  let odb: OpaquePointer

  /// Opens the repository that `start` is in, looking upwards and never into another file system.
  ///
  /// - Parameters:
  ///   - start: a directory, inside the working tree or the git directory.
  ///   - gitDirectory: the value of `GIT_DIR`, if the caller wants it honoured: nothing is looked for then, and `start`
  ///     is the working tree unless the repository says otherwise.
  ///   - workTree: the value of `GIT_WORK_TREE`, likewise.
  ///   - ceilings: the directories of `GIT_CEILING_DIRECTORIES`, above which is not looked.
  /// - Throws: ``GitError/Code/notRepository``; ``GitError/Code/unowned`` if it is another user's;
  ///   ``GitError/Code/unsupported`` for SHA-256 objects and other extensions.
  public convenience init(
    discoveringFrom start: FilePath, gitDirectory: FilePath? = nil, workTree: FilePath? = nil, ceilings: [FilePath] = []
  ) throws(GitError) {
    if let gitDirectory {
      try self.init(openingGitDirectory: start.pushing(gitDirectory))
    } else {
      try self.init(place: start, flags: 0, ceilings: ceilings)
    }
    if let workTree {
      try setWorkDirectory(start.pushing(workTree))
    } else if gitDirectory != nil, !isBare, try config().string("core.worktree") == nil {
      try setWorkDirectory(start)
    }
  }

  /// Opens the repository whose git directory this is, with the working tree it names itself.
  public convenience init(openingGitDirectory directory: FilePath) throws(GitError) {
    try self.init(
      place: directory, flags: GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue | GIT_REPOSITORY_OPEN_NO_DOTGIT.rawValue)
  }

  private init(place: FilePath, flags: UInt32, ceilings: [FilePath] = []) throws(GitError) {
    let opened = unsafe try Opening(place: place, flags: flags, ceilings: ceilings).open()
    do throws(GitError) {
      unsafe try Self.refuseOtherObjectFormats(opened, place)
      unsafe odb = try make("open the objects of '\(place)'") { unsafe git_repository_odb(&$0, opened) }
    } catch {
      unsafe git_repository_free(opened)
      throw error
    }
    unsafe pointer = opened
  }

  deinit {
    unsafe git_odb_free(odb)
    unsafe git_repository_free(pointer)
  }

  /// The top of the working tree, or `nil` if the repository is bare.
  public var workDirectory: FilePath? {
    unsafe git_repository_workdir(pointer).map { unsafe FilePath(platformString: $0) }
  }

  /// The git directory of this working tree: `HEAD` and `index` are in it. A linked worktree and a submodule have their
  /// own, away from the working tree.
  public var gitDirectory: FilePath { unsafe FilePath(platformString: git_repository_path(pointer)) }

  /// The git directory that all worktrees of this clone share: objects and references are in it.
  public var commonDirectory: FilePath { unsafe FilePath(platformString: git_repository_commondir(pointer)) }

  public var isBare: Bool { unsafe git_repository_is_bare(pointer) == 1 }

  /// Whether this is a worktree made by `git worktree add`.
  public var isWorktree: Bool { unsafe git_repository_is_worktree(pointer) == 1 }

  private func setWorkDirectory(_ directory: FilePath) throws(GitError) {
    try check("use the working tree '\(directory)'") {
      unsafe directory.withPlatformString { unsafe git_repository_set_workdir(pointer, $0, 0) }
    }
  }

  /// Refuses repositories whose object names are not SHA-1, which libgit2 would misread.
  private static func refuseOtherObjectFormats(_ repository: OpaquePointer, _ place: FilePath) throws(GitError) {
    let config = unsafe GitConfig(
      owning: try make("read the configuration of '\(place)'") {
        unsafe git_repository_config_snapshot(&$0, repository)
      })
    guard let format = try config.string("extensions.objectformat"), format != "sha1" else { return }
    throw GitError(
      .unsupported,
      "Cannot open '\(place)': its git objects are named by \(format) (extensions.objectFormat), and dv reads SHA-1 "
        + "repositories only. Convert it, or clone into one made with 'git init --object-format=sha1'.")
  }
}
