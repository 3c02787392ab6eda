import CGit2

/// A branch, tag, remote branch, the stash, or any other name below `refs/`.
public struct GitReference: Hashable, Sendable {
  /// The full name, such as `refs/heads/main`; bytes that are no UTF-8 are replaced.
  public let name: String
  /// The object it names, a tag object for an annotated tag.
  public let target: GitObjectID
  /// The commit at the end of it, or `nil` if it is a tag of something else.
  public let commit: GitObjectID?
}

/// One step of a reference, as its reflog has it.
public struct GitReflogEntry: Hashable, Sendable {
  /// The full name of the reference, or `HEAD`.
  public let reference: String
  /// What it named before; null at its creation.
  public let old: GitObjectID
  /// What it named after; null at its deletion.
  public let new: GitObjectID
}

extension GitRepository {
  /// Returns references of the repository, packed or loose, sorted by name: all there are.
  ///
  /// A symbolic one that leads nowhere, such as `refs/remotes/origin/HEAD` of a branch that is gone, is left out.
  ///
  /// - Parameters:
  ///   - prefix: only those whose full names begin with it, without characters that mean something in a glob.
  ///   - isWanted: only those whose full names it accepts: what others lead to is not looked at, which is what costs.
  /// - Throws: ``GitError/Code/notFound`` if one names an object that is missing.
  public func references(
    below prefix: String = "refs/", where isWanted: (String) -> Bool = { _ in true }
  ) throws(GitError) -> [GitReference] {
    let iterator = unsafe try make("list the references of '\(commonDirectory)'") {
      unsafe git_reference_iterator_glob_new(&$0, pointer, prefix + "*")
    }
    defer { unsafe git_reference_iterator_free(iterator) }
    var references: [GitReference] = []
    while true {
      var next: OpaquePointer?
      Libgit2.start()
      let status = unsafe git_reference_next(&next, iterator)
      if status == GIT_ITEROVER.rawValue { break }
      try check("list the references of '\(commonDirectory)'") { status }
      guard let next = unsafe next else { break }
      defer { unsafe git_reference_free(next) }
      guard isWanted(unsafe String(cString: git_reference_name(next))) else { continue }
      if let reference = unsafe try peel(next) { references.append(reference) }
    }
    return references.sorted { $0.name < $1.name }
  }

  /// Returns every step in the reflogs of `HEAD` and of all references, the newest first in each.
  ///
  /// A worktree has a `HEAD` of its own: ask each of ``worktrees()``.
  public func reflogs() throws(GitError) -> [GitReflogEntry] {
    var entries: [GitReflogEntry] = []
    for name in ["HEAD"] + (try references().map(\.name)) { entries += try reflog(of: name) }
    return entries
  }

  /// Returns the steps of one reference, the newest first; none if it has no reflog.
  public func reflog(of name: String) throws(GitError) -> [GitReflogEntry] {
    // Reading a reflog that does not exist would create it.
    guard unsafe git_reference_has_log(pointer, name) == 1 else { return [] }
    let log = unsafe try make("read the reflog of '\(name)'") { unsafe git_reflog_read(&$0, pointer, name) }
    defer { unsafe git_reflog_free(log) }
    return unsafe (0..<git_reflog_entrycount(log)).compactMap { index in
      guard let entry = unsafe git_reflog_entry_byindex(log, index) else { return nil }
      return unsafe GitReflogEntry(
        reference: name, old: GitObjectID(git_reflog_entry_id_old(entry).pointee),
        new: GitObjectID(git_reflog_entry_id_new(entry).pointee))
    }
  }

  private func peel(_ reference: OpaquePointer) throws(GitError) -> GitReference? {
    let name = unsafe String(cString: git_reference_name(reference))
    var resolved: OpaquePointer?
    guard try find("read '\(name)'", { unsafe git_reference_resolve(&resolved, reference) }),
      let resolved = unsafe resolved
    else { return nil }
    defer { unsafe git_reference_free(resolved) }
    guard let target = unsafe git_reference_target(resolved) else { return nil }
    var commit: OpaquePointer?
    Libgit2.start()
    let status = unsafe git_reference_peel(&commit, resolved, GIT_OBJECT_COMMIT)
    defer { unsafe git_object_free(commit) }
    // A tag may name a tree or a blob; that it cannot be peeled to a commit is no fault.
    if status != GIT_EPEEL.rawValue, status != GIT_EINVALIDSPEC.rawValue {
      try check("read what '\(name)' names") { status }
    }
    return unsafe GitReference(
      name: name, target: GitObjectID(target.pointee),
      commit: commit.map { unsafe GitObjectID(git_object_id($0).pointee) })
  }
}
