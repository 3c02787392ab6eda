public import DVBackend
public import DVGit
public import SystemPackage

/// An opened clone: the parts that operations work with. It has no verbs of its own.
///
/// Not `Sendable`: it holds the git repository, which belongs to one task at a time.
public final class Repository {
  public let git: GitRepository
  /// The top of the working tree; `nil` in a bare repository, where only history can be asked and transferred.
  public let workDirectory: FilePath?
  public let configuration: Configuration
  /// What relative paths in the configuration are relative to.
  let configurationBase: FilePath
  /// Of a clone of a repository that is no folder of this machine, its URL: relative paths of remotes mean nothing here.
  let elsewhere: String?
  /// The git directory, if `GIT_DIR` named it: from the working tree nobody finds it.
  let namedGitDirectory: FilePath?
  /// Of an isolated working tree, the user's: records that git carries there are read too.
  let recordsBeside: FilePath?
  /// Counts the requests to remotes that are not directories.
  public let requests = RequestTally()
  /// Looks up variables of the process.
  let environment: @Sendable (String) -> String?
  /// What records say was erased, once somebody asked.
  private var knownErasures: Erasures?

  /// Opens the clone that `start` is in.
  ///
  /// - Parameter environment: looks up variables of the process; `GIT_DIR` and `GIT_WORK_TREE` are honoured as git does,
  ///   for hooks and drivers run with them set.
  /// - Throws: ``GitError`` if there is no git repository or it cannot be read; ``RepositoryError`` for a configuration
  ///   that makes no sense.
  public init(discoveringFrom start: FilePath, environment: @escaping @Sendable (String) -> String? = { _ in nil }) throws {
    self.environment = environment
    git = try GitRepository(
      discoveringFrom: start, gitDirectory: environment("GIT_DIR").map { FilePath($0) },
      workTree: environment("GIT_WORK_TREE").map { FilePath($0) })
    git.removeAbandonedIndexLock()
    workDirectory = git.workDirectory
    configuration = try Configuration(
      committed: workDirectory.map { $0.appending(".dv").appending("config") },
      clone: git.commonDirectory.appending("dv").appending("config"), environment: environment)
    configurationBase = workDirectory ?? git.gitDirectory
    elsewhere = nil
    recordsBeside = nil
    namedGitDirectory = environment("GIT_DIR") == nil ? nil : git.gitDirectory
  }

  /// Opens a git directory without a working tree, with what one of its commits has as `.dv/config` in `committed`.
  ///
  /// - Parameters:
  ///   - base: what relative paths in it are relative to; `nil` if that is not on this machine.
  ///   - url: what it is a clone of.
  init(
    bare directory: FilePath, committed: FilePath, base: FilePath?, of url: String, environment: @escaping @Sendable (String) -> String?
  ) throws {
    self.environment = environment
    git = try GitRepository(openingGitDirectory: directory)
    workDirectory = nil
    configuration = try Configuration(
      committed: committed, clone: git.commonDirectory.appending("dv").appending("config"), environment: environment)
    configurationBase = base ?? git.gitDirectory
    elsewhere = base == nil ? url : nil
    recordsBeside = nil
    namedGitDirectory = nil
  }

  /// Opens another working tree of a clone with the configuration of this one: the code of another time must not say where
  /// data lies.
  init(isolated root: FilePath, of repository: Repository) throws {
    environment = repository.environment
    git = try GitRepository(discoveringFrom: root)
    workDirectory = git.workDirectory
    configuration = repository.configuration
    configurationBase = repository.configurationBase
    elsewhere = repository.elsewhere
    recordsBeside = repository.workDirectory
    namedGitDirectory = nil
  }

  /// What records say was erased.
  public func erasures() throws -> Erasures {
    if let knownErasures { return knownErasures }
    let read = try Erasures(of: self)
    knownErasures = read
    return read
  }

  /// Has the records looked at again.
  func forgetErasures() { knownErasures = nil }

  /// Where dv keeps what belongs to this clone: the local store, its configuration. Worktrees share it.
  public var dataDirectory: FilePath { git.commonDirectory.appending("dv") }

  /// Where dv keeps what belongs to this working tree: stat caches.
  public var treeDirectory: FilePath { git.gitDirectory.appending("dv") }

  /// The top of the working tree.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` in a bare repository.
  public func requireWorkDirectory() throws -> FilePath {
    guard let workDirectory else {
      throw RepositoryError(
        .usage, "'\(git.gitDirectory)' is a bare repository: it has no working tree.",
        remedy: "Run this in a clone of it.")
    }
    return workDirectory
  }
}
