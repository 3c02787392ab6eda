import DVFile
import DVGit
import DVObject
public import SystemPackage
import Synchronization

/// Another git repository that data is taken from: a folder on this machine, or whatever the user's git can clone.
///
/// What is cloned is kept without a working tree, for the next time; of a folder without a working tree only the configuration is:
///
///     $XDG_CACHE_HOME/dv/sources/<SHA-256 of the URL>/git      the clone: all branches and tags
///     $XDG_CACHE_HOME/dv/sources/<SHA-256 of the URL>/config   what its commit has as .dv/config
///     $XDG_CACHE_HOME/dv/sources/<SHA-256 of the URL>/lock     held while it is brought up to date
public struct SourceRepository: Sendable {
  private let url: String
  private let revision: String?
  private let environment: [[UInt8]]

  /// What was opened.
  public struct Opened {
    public let repository: Repository
    /// The revision that paths are meant at; `nil` for the pointers in the working tree of a folder.
    public let revision: String?
    /// The commit, 40 hex digits; `nil` without one.
    public let commit: String?
  }

  /// - Parameters:
  ///   - url: a path or URL.
  ///   - revision: a revision of git; if not given, what is on disk in a folder, else the HEAD of the clone.
  ///   - environment: the variables that git gets, `NAME=value`.
  public init(_ url: String, revision: String?, environment: [[UInt8]]) {
    self.url = url
    self.revision = revision
    self.environment = environment
  }

  /// Opens it, bringing a clone up to date; one that has the commit `revision` spells out is left as it is.
  ///
  /// - Parameter directory: what a relative path is relative to.
  /// - Throws: ``RepositoryError/Code/unreachable`` with what git said; ``GitError`` if there is no such revision.
  public func open(from directory: FilePath) async throws -> Opened {
    switch try start(from: directory) {
    case .opened(let opened): return opened
    case .clone(let clone):
      try await bringUpToDate(clone, from: directory)
      return try open(clone)
    }
  }

  /// A clone that is held while it is brought up to date and opened.
  private struct Clone {
    let cache: FilePath
    let lock: HeldLock
    var git: FilePath { cache.appending("git") }
  }

  private enum Start {
    case opened(Opened)
    case clone(Clone)
  }

  /// Opens a folder, or finds the clone.
  // In a function of its own, and not inlined: the optimiser of Swift 6.3 crashes if `open(from:)` does all of this itself.
  @inline(never)
  private func start(from directory: FilePath) throws -> Start {
    let place = directory.pushing(FilePath(url)).lexicallyNormalized()
    if try place.fileStatFollowingLinks()?.kind == .directory { return .opened(try open(folder: place)) }
    return .clone(try hold(cache(of: url)))
  }

  private func hold(_ cache: FilePath) throws -> Clone {
    Clone(cache: cache, lock: HeldLock(try FileLock.wait(for: cache.appending("lock"), .exclusive)))
  }

  /// What the repository's operations find in the environment.
  private var lookUp: @Sendable (String) -> String? {
    let variables = variables
    // GIT_DIR and the like are about the repository that dv was started in.
    return { name in name.hasPrefix("GIT_") ? nil : variables[name] }
  }

  /// Clones the repository, or fetches into the clone.
  private func bringUpToDate(_ clone: Clone, from directory: FilePath) async throws {
    let git = clone.git
    if try git.fileStat() == nil {
      let folder = try TemporaryDirectory(in: clone.cache)
      let fresh = folder.path.appending("git")
      try await run(["clone", "--quiet", "--bare", "--", url, fresh.string], in: directory)
      try fresh.rename(to: git)
    } else if try !has(revision, git) {
      try await run(
        ["--git-dir=\(git.string)", "fetch", "--quiet", "--force", "--prune", "--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"],
        in: directory)
    }
  }

  /// Opens a folder on this machine, with or without a working tree.
  private func open(folder: FilePath) throws -> Opened {
    let repository = try Repository(discoveringFrom: folder, environment: lookUp)
    guard repository.workDirectory == nil else {
      let commit = try revision.map { try repository.git.resolve(revision: $0) } ?? repository.git.head().commit
      return Opened(repository: repository, revision: revision, commit: commit?.hex)
    }
    let git = repository.git.gitDirectory
    return try open(git, base: git.lexicallyNormalized(), hold(cache(of: folder.string)))
  }

  /// Opens a clone that is up to date.
  @inline(never)
  private func open(_ clone: Clone) throws -> Opened { try open(clone.git, base: localPath, clone) }

  /// Opens a git directory at the revision, with the configuration that its commit has.
  ///
  /// - Parameters:
  ///   - base: what relative paths in that are relative to; `nil` if it is not on this machine.
  ///   - held: where that configuration is kept.
  private func open(_ git: FilePath, base: FilePath?, _ held: Clone) throws -> Opened {
    defer { withExtendedLifetime(held.lock) {} }
    let opened = try GitRepository(openingGitDirectory: git)
    let revision = revision ?? "HEAD"
    let commit = try opened.resolve(revision: revision)
    let config = held.cache.appending("config")
    let text = try opened.readBlob(at: try GitPath(Array(".dv/config".utf8)), in: commit, limit: 1 << 20) ?? []
    try config.replaceContent(with: text.span, durable: false)
    return Opened(
      repository: try Repository(bare: git, committed: config, base: base, of: url, environment: lookUp), revision: revision,
      commit: commit.hex)
  }

  /// The folder that a `file:` URL names.
  private var localPath: FilePath? {
    guard url.hasPrefix("file://") else { return nil }
    let path = url.dropFirst("file://".count)
    return path.hasPrefix("/") ? FilePath(String(path)).lexicallyNormalized() : nil
  }

  /// Where a clone of a repository is kept.
  private func cache(of url: String) throws -> FilePath {
    let cache = try cacheDirectory(variables).appending("sources").appending(ObjectID(hashing: Array(url.utf8).span).hex)
    try cache.createDirectories(mode: 0o700)
    return cache
  }

  /// Whether the clone has a commit that is spelt out: such a one never changes.
  private func has(_ revision: String?, _ git: FilePath) throws -> Bool {
    guard let revision, revision.utf8.count == 40, revision.allSatisfy(\.isHexDigit) else { return false }
    return (try? GitRepository(openingGitDirectory: git).resolve(revision: revision)) != nil
  }

  private var variables: [String: String] {
    environment.reduce(into: [:]) { found, entry in
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { return }
      found[String(decoding: entry[..<equals], as: UTF8.self)] = String(decoding: entry[(equals + 1)...], as: UTF8.self)
    }
  }

  private func cacheDirectory(_ variables: [String: String]) throws -> FilePath {
    if let path = variables["XDG_CACHE_HOME"], path.hasPrefix("/") { return FilePath(path).appending("dv") }
    guard let home = variables["HOME"], home.hasPrefix("/") else {
      throw RepositoryError(
        .usage, "There is no place to keep a clone of '\(url)': HOME is not set.", remedy: "Set HOME or XDG_CACHE_HOME.")
    }
    return FilePath(home).appending(".cache").appending("dv")
  }

  /// Runs the user's git, which asks nobody anything: nobody would see the question.
  private func run(_ arguments: [String], in directory: FilePath) async throws {
    var environment = environment.filter { entry in
      !["GIT_DIR=", "GIT_WORK_TREE=", "GIT_INDEX_FILE=", "GIT_TERMINAL_PROMPT="].contains { entry.starts(with: $0.utf8) }
    }
    environment.append(Array("GIT_TERMINAL_PROMPT=0".utf8))
    if variables["GIT_SSH_COMMAND"] == nil, variables["GIT_SSH"] == nil {
      environment.append(Array("GIT_SSH_COMMAND=ssh -oBatchMode=yes".utf8))
    }
    let printed = Mutex<[UInt8]>([])
    let outcome = try await ChildProcess(
      arguments: ["git"].map { Array($0.utf8) } + arguments.map { Array($0.utf8) }, environment: environment, directory: directory
    ).run { stream, bytes in
      printed.withLock { all in
        for index in 0..<bytes.count where all.count < 1 << 14 { all.append(bytes[index]) }
      }
    }
    if outcome.wasInterrupted { throw CancellationError() }
    guard outcome.ending == .exited(0) else {
      let said = String(decoding: printed.withLock { $0 }, as: UTF8.self).split(separator: "\n").joined(separator: " ")
      throw RepositoryError(
        .unreachable, "git cannot read '\(url)': \(said)", remedy: "Check the URL, and with 'git ls-remote' that git may read it.")
    }
  }
}
