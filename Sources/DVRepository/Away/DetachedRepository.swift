import DVFile
import DVGit
import DVObject
import DVWorkspace
import SystemPackage

/// A repository for a directory that has none, for the time of one run: nothing of it lies in the directory.
///
///     <folder>/lock     held as long as its dv lives
///     <folder>/git      git's index, with the files that count as code
///     <folder>/inputs   a store for data that the run reads and that is not there
///     <folder>/store    a store for what the run makes
///     <folder>/started  once its command may run: see ``StartedNote``
///
/// The folder is removed when this goes away. What a killed dv left behind is not locked any more: see ``KilledRuns``.
final class DetachedRepository {
  /// The directory, as the working tree.
  let root: FilePath
  /// The folder, which is no part of the code even if it lies in the directory.
  let path: FilePath
  /// Whether the folder stays when this goes away.
  var isKept = false
  private let lock: HeldLock
  private let lookUp: @Sendable (String) -> String?

  /// The stores of one run.
  enum Store: String { case inputs, store }

  /// - Parameters:
  ///   - parent: where to make the folder; it needs room for all that the run makes.
  ///   - lookUp: looks up variables of the process.
  init(for root: FilePath, in parent: FilePath, _ lookUp: @escaping @Sendable (String) -> String?) throws {
    self.root = root
    self.lookUp = lookUp
    path = parent.appending(RandomName.temporary())
    do throws(FileError) { try path.createDirectories(mode: 0o700) } catch {
      throw RepositoryError(
        .usage, "There is no room for what the run makes: \(error.message)", remedy: "Set TMPDIR to a directory that can be written.",
        cause: error)
    }
    lock = HeldLock(try FileLock.wait(for: path.appending("lock"), .exclusive))
    let git = path.appending("git")
    for name in ["objects", "refs/heads", "dv"] { try git.appending(name).createDirectories() }
    try git.appending("HEAD").createContent(Array("ref: refs/heads/main\n".utf8).span, durable: false)
    try git.appending("config").createContent(
      Array("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n".utf8).span, durable: false)
  }

  deinit {
    // Nobody is left to tell; what stays behind has a name that says it may be removed.
    if !isKept { try? path.removeTree() }
  }

  /// Opens it.
  ///
  /// - Parameters:
  ///   - store: which of the stores is the local one.
  ///   - remote: a remote by URL that has no name in the configuration.
  func open(_ store: Store, remote: (name: String, url: String)? = nil) throws -> Repository {
    let git = path.appending("git")
    let config = git.appending("dv").appending("config")
    try GitConfig.set("core.store", to: path.appending(store.rawValue).string, in: config)
    if let remote { try GitConfig.set("remote.\(remote.name).url", to: remote.url, in: config) }
    let (root, lookUp) = (root.string, lookUp)
    let directory = git.string
    return try Repository(discoveringFrom: self.root) { name in
      switch name {
      case "GIT_DIR": directory
      case "GIT_WORK_TREE": root
      default: lookUp(name)
      }
    }
  }

  /// Takes over the folder of a dv that was killed.
  ///
  /// - Returns: `nil` if its dv lives, or it is no such folder.
  init?(leftIn folder: FilePath, root: FilePath, _ lookUp: @escaping @Sendable (String) -> String?) {
    func isThere(_ name: String) -> Bool { ((try? folder.appending(name).fileStat()) ?? nil) != nil }
    // A folder is locked before the rest of it is there.
    guard isThere("lock"), isThere("git/config"), let lock = Self.lockLeft(folder.appending("lock")) else { return nil }
    (path, self.lock, self.root, self.lookUp) = (folder, HeldLock(lock), root, lookUp)
  }

  private static func lockLeft(_ file: FilePath) -> FileLock? {
    do {
      // Without locks its dv may live on another machine.
      guard let lock = try FileLock.attempt(file, .exclusive), lock.isRespectedEverywhere else { return nil }
      return lock
    } catch {
      return nil
    }
  }

  func remove(_ store: Store) throws { try path.appending(store.rawValue).removeTree() }

  // MARK: - Code

  /// Files beyond this size that nothing tracks are data and no code; in bytes.
  static let fileLimit: UInt64 = 16 << 20
  /// So many files no project has that says what git ignores.
  static let countLimit = 100_000

  /// What was found in the directory.
  struct Found {
    var files: [TreePath] = []
    /// Files too large for code, and directories that are repositories of their own.
    var leftOut: [TreePath] = []
  }

  /// Puts what counts as code into the index: all files that `.gitignore` does not name, but no data that a pointer stands for, no
  /// environments of Python, no bundles of other runs, no folders of theirs and nothing in `excluded`.
  ///
  /// - Returns: what was left out for its size.
  func fillIndex(of repository: Repository, excluding excluded: [FilePath]) throws -> [TreePath] {
    var found = Found()
    try search(.root, repository, Set(excluded.map { $0.lexicallyNormalized() } + [path.lexicallyNormalized()]), &found)
    try repository.git.stage(adding: try found.files.map { try GitPath($0.bytes) })
    return found.leftOut
  }

  private func search(_ directory: TreePath, _ repository: Repository, _ excluded: Set<FilePath>, _ found: inout Found) throws {
    let listing = try root.appending(directory).listDirectory()
    for index in listing.indices {
      let name = listing.name(at: index)
      let path = directory.appending(name)
      let place = root.appending(path)
      if RandomName.isTemporary(String(decoding: name, as: UTF8.self)) { continue }
      if name == Array(".git".utf8) || name == Array("__pycache__".utf8) || excluded.contains(place.lexicallyNormalized()) { continue }
      // What a pointer stands for is data.
      if listing.index(of: name + Array(Pointer.suffix.utf8)) != nil { continue }
      guard let stat = try place.fileStat() else { continue }
      if try repository.git.isIgnored(try GitPath(path.bytes), isDirectory: stat.kind == .directory) { continue }
      switch stat.kind {
      case .directory:
        if try place.appending("pyvenv.cfg").fileStat() != nil || place.appending("conda-meta").fileStat() != nil { continue }
        guard try place.appending(".git").fileStat() == nil else {
          found.leftOut.append(path)
          continue
        }
        try search(path, repository, excluded, &found)
      case .regular where RunBundle.isBundle(place): continue
      case .regular where stat.size > Self.fileLimit: found.leftOut.append(path)
      case .regular, .symlink:
        found.files.append(path)
        guard found.files.count <= Self.countLimit else {
          throw RepositoryError(
            .usage, "'\(root.printable)' has more than \(Self.countLimit) files that no .gitignore names, which is no code.",
            remedy: "Bring the project's .gitignore along, or run in the directory of the code.")
        }
      case .other: continue
      }
    }
  }
}
