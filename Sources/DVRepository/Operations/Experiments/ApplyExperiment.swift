import DVFile
import DVGit
import DVLineage
import DVObject
public import DVWorkspace
import SystemPackage

/// Brings what an experiment changed into the working tree.
///
/// Every file that differs between the experiment and the commit it was made from is written, or removed; data follows its
/// pointers. A file whose content on disk is neither the experiment's nor in HEAD nor in that commit is the user's work: then
/// nothing is changed.
public struct ApplyExperiment: Sendable {
  public struct Report: Sendable {
    public internal(set) var written: [TreePath] = []
    public internal(set) var removed: [TreePath] = []
    /// Data that could not be delivered, in words.
    public internal(set) var failures: [CheckoutFailure] = []
  }

  private let name: String
  private let isForced: Bool
  /// Files of code and parameters larger than this are refused; in bytes.
  private static let limit = 256 << 20

  public init(_ name: String, isForced: Bool) {
    self.name = name
    self.isForced = isForced
  }

  private struct Change {
    let path: TreePath
    let git: GitPath
    let new: GitFile?
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/conflict``, naming the paths, if work would be lost; nothing is changed then.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    let kept = try repository.experiment(named: name)
    let commit = try GitObjectID(hex: kept.commit)
    guard let base = try kept.base.map({ try GitObjectID(hex: $0) }) else {
      throw RepositoryError(.usage, "The experiment '\(name)' has no commit that it was made from.")
    }
    let root = try repository.requireWorkDirectory()
    let changes = try changes(from: base, to: commit, in: repository.git)
    var conflicts: [TreePath] = []
    for change in changes where try await isWork(change, base, repository, root) { conflicts.append(change.path) }
    guard isForced || conflicts.isEmpty else {
      let shown = conflicts.prefix(20).map { "  \($0)" }.joined(separator: "\n")
      throw RepositoryError(
        .conflict, "To apply '\(name)' would lose changes of yours, and nothing was changed:\n\(shown)",
        remedy: "Commit them, or overwrite them with --force.")
    }
    var report = Report()
    var staged: [GitPath] = []
    var unstaged: [GitPath] = []
    var targets: [TreePath] = []
    for change in changes {
      let place = root.appending(change.path)
      let isOwn = PointerFile.isPointerName(change.path) || change.path.lastName == Array(".gitignore".utf8)
        || change.path.names.starts(with: [Array(".dv".utf8), Array("records".utf8)])
      guard let file = change.new else {
        try place.removeFile()
        report.removed.append(change.path)
        if isOwn { unstaged.append(change.git) }
        continue
      }
      let bytes = try repository.git.readBlob(file.id, limit: Self.limit)
      try place.containingDirectory.createDirectories()
      if file.kind == .symlink {
        try place.removeFile()
        try place.createSymlink(to: bytes)
      } else {
        try place.replaceContent(with: bytes.span, durable: false)
        try place.setExecutable(file.kind == .executable)
      }
      report.written.append(change.path)
      if isOwn { staged.append(change.git) }
      if PointerFile.isPointerName(change.path) { targets.append(PointerFile.target(of: change.path)) }
    }
    if !staged.isEmpty || !unstaged.isEmpty { try repository.git.stage(adding: staged, removing: unstaged) }
    if !targets.isEmpty {
      report.failures = try await CheckOutData(targets, isForced: true).run(in: repository, progress: progress).failures
    }
    return report
  }

  private func changes(from base: GitObjectID, to commit: GitObjectID, in git: GitRepository) throws -> [Change] {
    let before = Dictionary(try git.files(in: base).map { ($0.path, $0) }) { first, _ in first }
    let after = Dictionary(try git.files(in: commit).map { ($0.path, $0) }) { first, _ in first }
    return Set(before.keys).union(after.keys).sorted().compactMap { path in
      guard before[path] != after[path], before[path]?.kind != .submodule, after[path]?.kind != .submodule,
        let place = TreePath(path.bytes)
      else { return nil }
      return Change(path: place, git: path, new: after[path])
    }
  }

  /// Whether what is on disk would be lost: a file's content, or that of the data beside a pointer.
  private func isWork(_ change: Change, _ base: GitObjectID, _ repository: Repository, _ root: FilePath) async throws -> Bool {
    let place = root.appending(change.path)
    guard let stat = try place.fileStat() else { return try await isDataWork(change, repository, root) }
    let content: [UInt8]
    switch stat.kind {
    case .symlink: content = try place.readLink()
    case .regular:
      content = try repository.git.cleanContent(of: change.git) ?? place.readAll(limit: Self.limit)
    default: return true
    }
    var known: [GitObjectID] = []
    if let new = change.new { known.append(new.id) }
    for commit in [base, try repository.git.head().commit].compactMap(\.self) {
      if let entry = try repository.git.entry(at: change.git, in: commit), entry.kind != .directory { known.append(entry.id) }
    }
    if let staged = try repository.git.index().entry(at: change.git), PointerFile.isPointerName(change.path) {
      // A pointer that is staged names data that the store has.
      known.append(staged.id)
    }
    for id in known {
      if (try? repository.git.readBlob(id, limit: Self.limit)) == content { return try await isDataWork(change, repository, root) }
    }
    return true
  }

  /// Whether the data of a pointer was changed and not added.
  private func isDataWork(_ change: Change, _ repository: Repository, _ root: FilePath) async throws -> Bool {
    guard PointerFile.isPointerName(change.path) else { return false }
    let target = PointerFile.target(of: change.path)
    guard try root.appending(target).fileStat() != nil else { return false }
    let look = try await repository.look(at: target)
    guard let pointer = try? PointerFile.read(change.path, in: root)?.pointer else { return true }
    if look.isKnown(as: pointer) { return false }
    guard let there = try await look.hashed(progress: ProgressSink())?.pointer else { return true }
    if there.oid == pointer.oid { return false }
    guard let new = change.new, let bytes = try? repository.git.readBlob(new.id, limit: Pointer.maximumByteCount),
      let wanted = try? Pointer(parsing: bytes.span, named: change.path.description)
    else { return true }
    return wanted.oid != there.oid
  }
}
