import DVFile
import DVGit
import DVObject
public import DVWorkspace
import SystemPackage

/// Stops tracking data, or takes paths out of tracked directories: the operation behind `dv rm`.
///
/// Everything is checked before anything is removed. Of a target the data goes first and the pointer last, so that
/// whoever was killed can run it again, or bring the data back with `dv checkout`. Versions in history stay.
public struct RemoveData: Sendable {
  public struct Report: Hashable, Sendable {
    /// Targets that are not tracked any more.
    public internal(set) var targets: [TreePath] = []
    /// Paths that were taken out of tracked directories.
    public internal(set) var parts: [TreePath] = []
  }

  private let paths: [TreePath]
  private let isRecursive: Bool
  private let keepsData: Bool
  private let isForced: Bool

  /// - Parameters:
  ///   - paths: Relative to the working tree's root: targets, pointers, directories with such below, or paths inside
  ///     tracked directories.
  ///   - isRecursive: Whether directories may be removed.
  ///   - keepsData: Whether the data stays on disk, untracked.
  ///   - isForced: Whether data may be lost that was modified, or that no commit has.
  public init(_ paths: [TreePath], isRecursive: Bool = false, keepsData: Bool = false, isForced: Bool = false) {
    self.paths = paths
    self.isRecursive = isRecursive
    self.keepsData = keepsData
    self.isForced = isForced
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/conflict`` if work would be lost, listing where; nothing is changed then.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    let selection = try repository.select(paths)
    if let unreadable = selection.unreadable.first {
      throw RepositoryError(
        .conflict, unreadable.message, remedy: "Or remove the pointer itself with 'git rm'.")
    }
    let whole = Set(selection.items.filter(\.inside.isRoot).map(\.data))
    let parts = selection.items.filter { !$0.inside.isRoot && !whole.contains($0.data) }
    let check = RemovalCheck(repository: repository, isRecursive: isRecursive, paths: Set(paths), progress: progress)
    progress.begin("Looking")
    var lost: [String] = []
    for item in whole.map({ Selection.Item(data: $0, inside: .root) }) + parts {
      try await check.requireRemovable(item)
      if !keepsData, !isForced { lost += try await check.losses(of: item) }
    }
    guard lost.isEmpty else { throw conflict(lost.sorted()) }
    var report = Report()
    progress.begin("Removing")
    try await remove(parts, in: repository, progress: progress, &report)
    try remove(whole.map(\.target).sorted(), in: repository, &report)
    return report
  }

  private func conflict(_ lost: [String]) -> RepositoryError {
    let more = lost.count > 20 ? "\n  … and \(lost.count - 20) more" : ""
    return RepositoryError(
      .conflict,
      """
      Removing would lose data, and nothing was changed:
      \(lost.prefix(20).map { "  " + $0 }.joined(separator: "\n"))\(more)
      """, remedy: "Add and commit it, keep it on disk with --keep, or remove it with --force.")
  }

  // MARK: - Targets

  private func remove(_ targets: [TreePath], in repository: Repository, _ report: inout Report) throws {
    let root = try repository.requireWorkDirectory()
    for target in targets {
      if !keepsData { try root.appending(target).removeTree() }
      try repository.statCaches.remove(target)
    }
    let lock = try repository.lockWorkingTree()
    defer { withExtendedLifetime(lock) {} }
    var ignores: [TreePath] = []
    for target in targets {
      if let changed = try GitIgnoreFile.remove(target, in: root) { ignores.append(changed) }
    }
    let pointers = targets.map { PointerFile.path(for: $0) }
    if !targets.isEmpty { try repository.stage(ignores, removing: pointers, root: root) }
    for pointer in pointers { try root.appending(pointer).removeFile() }
    report.targets = targets
    if !keepsData { for target in targets { removeEmptyDirectories(above: target, root: root) } }
  }

  /// Removes directories that hold nothing any more, as git does.
  private func removeEmptyDirectories(above target: TreePath, root: FilePath) {
    var above = target.parent
    while !above.isRoot {
      do { try root.appending(above).removeDirectory() } catch { return }
      above = above.parent
    }
  }

  // MARK: - Parts of targets

  private func remove(
    _ parts: [Selection.Item], in repository: Repository, progress: ProgressSink, _ report: inout Report
  ) async throws {
    guard !parts.isEmpty else { return }
    let root = try repository.requireWorkDirectory()
    report.parts = parts.map { $0.data.target.appending($0.inside) }.sorted()
    var onDisk: [TreePath] = []
    var elsewhere: [Selection.Item] = []
    for item in parts {
      if !keepsData, try root.appending(item.data.target).fileStat()?.kind == .directory {
        let path = item.data.target.appending(item.inside)
        try root.appending(path).removeTree()
        onDisk.append(path)
      } else {
        elsewhere.append(item)
      }
    }
    // What is gone from the disk goes from the version as with any other add.
    if !onDisk.isEmpty { _ = try await AddData(onDisk).run(in: repository, progress: progress) }
    guard !elsewhere.isEmpty else { return }
    var edit = try await PointerEdit(in: repository)
    for item in elsewhere { try await edit.replace(item.inside, of: item.data, with: nil) }
    try await edit.finish()
    // What stays on disk is the user's from now on, which a cache would not know.
    if keepsData { for item in elsewhere { try repository.statCaches.remove(item.data.target) } }
  }
}

/// Finds out what a removal would lose.
private struct RemovalCheck {
  let repository: Repository
  let isRecursive: Bool
  let paths: Set<TreePath>
  let progress: ProgressSink

  /// Refuses what is not there, and directories unless they were asked for.
  func requireRemovable(_ item: Selection.Item) async throws {
    let path = item.data.target.appending(item.inside)
    var isDirectory = item.data.pointer.kind == .tree
    if !item.inside.isRoot {
      let browser = TreeBrowser(read: try repository.dataReader().nodes)
      guard isDirectory, let entry = try await browser.entry(at: item.inside, in: item.data.pointer.oid) else {
        throw RepositoryError(
          .usage, "The version of '\(item.data.target)' has no '\(item.inside)'.",
          remedy: "What was never added, 'rm' removes.")
      }
      isDirectory = entry.mode == .directory
    }
    // A target that was not named itself lies in a directory that was.
    let isNamed = paths.contains(path) || paths.contains(item.data.pointerPath)
    guard isRecursive || (isNamed && !isDirectory) || paths.contains(item.data.pointerPath) else {
      throw RepositoryError(.usage, "'\(path)' is a directory, or lies in one.", remedy: "Remove directories with -r.")
    }
  }

  /// Returns what would be lost, with the reason.
  func losses(of item: Selection.Item) async throws -> [String] {
    let path = item.data.target.appending(item.inside)
    let look = try await repository.look(at: item.data.target)
    guard look.found != nil else { return [] }
    var lost = try await onDisk(item, look)
    if try await !isCommitted(item) { lost.append("'\(path)' (in no commit: HEAD has another version)") }
    lost += (look.found?.problems ?? []).filter { $0.path.relative(to: path) != nil }.map {
      "'\($0.path)' (not tracked)"
    }
    return lost
  }

  private func onDisk(_ item: Selection.Item, _ look: TargetLook) async throws -> [String] {
    if look.isKnown(as: item.data.pointer) { return [] }
    let path = item.data.target.appending(item.inside)
    let nodes = try repository.dataReader().nodes
    let disk = try await look.hashed(progress: progress)
    let status = try await TargetStatus.of(
      item.data.target, pointer: item.data.pointer, disk: disk, isStored: { _ in true }, read: nodes)
    return status.entries.compactMap { entry in
      guard entry.path.relative(to: path) != nil || path.relative(to: entry.path) != nil else { return nil }
      switch entry.state {
      case .modified: return "'\(entry.path)' (modified)"
      case .untrackedInside: return "'\(entry.path)' (not added)"
      case .missing, .deletedInside, .absentLocally: return nil
      }
    }
  }

  /// Whether HEAD has the version, or that part of it.
  private func isCommitted(_ item: Selection.Item) async throws -> Bool {
    guard let head = try repository.git.head().commit,
      let (data, _) = try repository.resolve(item.data.target, in: head), data.target == item.data.target
    else { return false }
    if data.pointer.withoutRun == item.data.pointer.withoutRun { return true }
    guard !item.inside.isRoot, data.pointer.kind == .tree else { return false }
    let browser = TreeBrowser(read: try repository.dataReader().nodes)
    let now = try await browser.entry(at: item.inside, in: item.data.pointer.oid)
    return try await browser.entry(at: item.inside, in: data.pointer.oid) == now
  }
}
