import DVFile
import DVGit
import SystemPackage

/// A working tree of its own, away from the user's, in which commands may do what they like.
///
/// It is a git worktree without a branch:
///
///     <git directory>/dv/worktrees/<name>/lock   held as long as its dv lives
///     <git directory>/dv/worktrees/<name>/tree   the files
///     <git directory>/worktrees/dv-<name>        what git keeps of it: HEAD, index
///
/// It is removed when it goes away. What a killed dv left behind is not locked any more: the next one removes it.
final class IsolatedWorktree {
  /// The top of its files.
  let root: FilePath
  private let folder: FilePath
  private let administration: FilePath
  private let lock: HeldLock

  private static let prefix = "dv-"

  /// Makes one with the index of `base` and without files.
  init(of repository: Repository, base: GitObjectID) throws {
    let common = repository.git.commonDirectory.lexicallyNormalized()
    let all = repository.dataDirectory.lexicallyNormalized().appending("worktrees")
    try all.createDirectories()
    let name = RandomName.letters()
    folder = all.appending(name)
    root = folder.appending("tree")
    administration = common.appending("worktrees").appending(Self.prefix + name)
    do {
      // Nobody takes the new one for a left-over before its lock is held.
      let making = HeldLock(try FileLock.wait(for: all.appending("lock"), .exclusive))
      defer { withExtendedLifetime(making) {} }
      try folder.createDirectories()
      guard let held = try FileLock.attempt(folder.appending("lock"), .exclusive) else {
        throw RepositoryError(.busy, "'\(folder)' was taken by another process.", remedy: "Run the command again.")
      }
      lock = HeldLock(held)
    }
    // From here on `deinit` cleans up, also after an error.
    try root.createDirectories()
    // Git reads all of it or nothing: it gets its name when it is complete.
    let prepared = folder.appending("git")
    try prepared.createDirectories()
    try Self.write("\(base.hex)\n", to: prepared.appending("HEAD"))
    try Self.write("../..\n", to: prepared.appending("commondir"))
    try prepared.appending("gitdir").createContent(root.appending(".git").rawBytes.withLineBreak.span, durable: false)
    try root.appending(".git").createContent(
      (Array("gitdir: ".utf8) + administration.rawBytes).withLineBreak.span, durable: false)
    try administration.containingDirectory.createDirectories()
    try prepared.rename(to: administration)
    try GitRepository(discoveringFrom: root).fillIndex(from: base)
  }

  private static func write(_ text: String, to file: FilePath) throws {
    try file.createContent(Array(text.utf8).span, durable: false)
  }

  deinit { Self.remove(folder, administration) }

  /// Opens it as a repository.
  func open(of repository: Repository) throws -> Repository { try Repository(isolated: root, of: repository) }

  /// What stays behind is found by the next dv.
  private static func remove(_ folder: FilePath, _ administration: FilePath) {
    // First what git sees.
    try? administration.rename(to: folder.appending("git"))
    try? folder.appending("git").removeTree()
    do { try folder.appending("tree").removeTree() } catch {
      // A command made directories that even their owner may not change.
      folder.appending("tree").makeWritable()
      guard (try? folder.appending("tree").removeTree()) != nil else { return }
    }
    try? folder.removeTree()
  }

  /// Removes what killed ones left behind.
  static func removeLeftovers(of repository: Repository) throws {
    let all = repository.dataDirectory.lexicallyNormalized().appending("worktrees")
    guard try all.fileStat() != nil else { return }
    let making = HeldLock(try FileLock.wait(for: all.appending("lock"), .exclusive))
    defer { withExtendedLifetime(making) {} }
    let listing = try all.listDirectory()
    for index in listing.indices {
      let name = String(decoding: listing.name(at: index), as: UTF8.self)
      let folder = all.appending(name)
      guard name != "lock", try folder.fileStat()?.kind == .directory,
        let lock = try FileLock.attempt(folder.appending("lock"), .exclusive), lock.isRespectedEverywhere
      else { continue }
      remove(folder, repository.git.commonDirectory.lexicallyNormalized().appending("worktrees").appending(prefix + name))
      _ = consume lock
    }
  }
}

extension [UInt8] {
  fileprivate var withLineBreak: [UInt8] { self + [0x0a] }
}

extension FilePath {
  /// Gives the owner all rights to the directories from here on, as far as that can be done.
  fileprivate func makeWritable() {
    guard (try? fileStat())??.kind == .directory else { return }
    try? setMode(0o700)
    guard let listing = try? listDirectory() else { return }
    for index in listing.indices { appending(name: listing.name(at: index)).makeWritable() }
  }
}
