import DVFile
import DVGit
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// The data that a clone needs of a store.
///
/// Found in everything that git keeps: commits of all references, reflogs and stashes, of unfinished merges and rebases, the
/// index of every worktree with the sides of its conflicts, and the pointers on disk, committed or not.
struct KeptData {
  /// What the history needs.
  private(set) var history: [TransferRoot] = []
  /// What the working trees need: their pointers, their index, and the commits that are checked out.
  private(set) var current: [TransferRoot] = []
  /// The paths that were met for each content, which has no label here, in the order in which they were met.
  private(set) var labels: [TransferRoot: [String]] = [:]
  private var metHistory: Set<TransferRoot> = []
  private var metCurrent: Set<TransferRoot> = []

  var all: [TransferRoot] { current + history }

  /// Adds what the clone with this common git directory needs.
  ///
  /// - Throws: ``GitError`` or ``RepositoryError`` if anything of it cannot be read: it must not be taken for garbage.
  mutating func add(clone directory: FilePath) throws {
    let git = try GitRepository(openingGitDirectory: directory)
    var starts = try git.references().compactMap(\.commit)
    starts += try git.reflogs().flatMap { [$0.old, $0.new] }
    for worktree in try git.worktrees() {
      let tree = try GitRepository(openingGitDirectory: worktree.gitDirectory)
      var heads = try tree.operationHeads().map(\.commit)
      if let commit = worktree.head.commit { heads.append(commit) }
      starts += heads
      starts += try tree.reflog(of: "HEAD").flatMap { [$0.old, $0.new] }
      try addCurrent(of: worktree, tree, heads: heads)
    }
    try addRuns(clone: directory, git)
    let walk = PointerWalk(git)
    // A reflog may name commits that git has collected.
    let known = Set(starts).filter { !$0.isNull && (try? git.commit($0)) != nil }
    try git.forEachCommit(from: known.sorted()) { commit in
      for pointer in try walk.newPointers(in: commit) {
        try add(pointer.path, pointer.blob, size: pointer.size, of: git, isCurrent: false)
      }
    }
  }

  /// Adds what the pointers of a commit need now, whatever becomes of its history.
  mutating func addCurrent(_ commit: GitObjectID, of git: GitRepository) throws {
    for pointer in try PointerWalk(git).pointers(in: commit) {
      try add(pointer.path, pointer.blob, size: pointer.size, of: git, isCurrent: true)
    }
  }

  private mutating func addCurrent(of worktree: GitWorktree, _ git: GitRepository, heads: [GitObjectID]) throws {
    for head in heads where (try? git.commit(head)) != nil { try addCurrent(head, of: git) }
    for entry in try git.index().pointers where !entry.isIntentToAdd {
      try add(entry.path, entry.id, size: try git.blobSize(entry.id), of: git, isCurrent: true)
    }
    guard let root = worktree.workDirectory else { return }
    guard try root.fileStatFollowingLinks() != nil else {
      throw RepositoryError(
        .usage, "The working tree '\(root)' is not there, so nobody knows what its pointers need.",
        remedy: "Mount it, or have git forget it with 'git worktree prune'.")
    }
    // Ignored directories are looked into as well: a pointer in one is still somebody's.
    let search = PointerSearch(root: root) { _, _ in false }
    for item in try search.read().items {
      do throws(WorkspaceError) {
        let file = try item.result.get()
        add(file.pointer, label: file.target.description, isCurrent: true)
      } catch {
        // One in conflict is in the index with both its sides; another that cannot be read names nothing.
        guard error.code == .conflicted || error.code == .pointer else { throw error }
      }
    }
  }

  private mutating func add(
    _ path: GitPath, _ blob: GitObjectID, size: UInt64, of git: GitRepository, isCurrent: Bool
  ) throws {
    guard size <= UInt64(Pointer.maximumByteCount) else { return }
    let bytes = try git.readBlob(blob, limit: Pointer.maximumByteCount)
    let name = path.description
    guard let pointer = try? Pointer(parsing: bytes.span, named: name) else { return }
    add(pointer, label: String(name.dropLast(Pointer.suffix.count)), isCurrent: isCurrent)
  }

  private mutating func add(_ pointer: Pointer, label: String, isCurrent: Bool) {
    let kind: TransferRoot.Kind = pointer.kind == .tree ? .tree : .file
    add(TransferRoot(kind: kind, oid: pointer.oid, size: pointer.size, label: label), isCurrent: isCurrent)
  }

  mutating func add(_ root: TransferRoot, isCurrent: Bool) {
    let plain = TransferRoot(kind: root.kind, oid: root.oid, size: root.size, label: "")
    if labels[plain]?.contains(root.label) != true { labels[plain, default: []].append(root.label) }
    if isCurrent {
      if metCurrent.insert(plain).inserted { current.append(root) }
    } else if metHistory.insert(plain).inserted {
      history.append(root)
    }
  }
}
