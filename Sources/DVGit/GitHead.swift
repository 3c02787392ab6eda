import CGit2

/// What is checked out.
public enum GitHead: Hashable, Sendable {
  /// A branch that has no commit yet. The name lacks `refs/heads/`.
  case unborn(branch: String)
  /// A branch. The name lacks `refs/heads/`.
  case branch(name: String, commit: GitObjectID)
  /// A commit and no branch.
  case detached(commit: GitObjectID)

  /// The commit checked out, if there is one.
  public var commit: GitObjectID? {
    switch self {
    case .unborn: nil
    case .branch(_, let commit), .detached(let commit): commit
    }
  }
}

extension GitRepository {
  /// Returns what is checked out in this working tree.
  ///
  /// - Throws: ``GitError/Code/corrupt`` if `HEAD` is missing or unreadable.
  public func head() throws(GitError) -> GitHead {
    let reference = unsafe try make("read HEAD of '\(gitDirectory)'") {
      unsafe git_reference_lookup(&$0, pointer, "HEAD")
    }
    defer { unsafe git_reference_free(reference) }
    if let target = unsafe git_reference_target(reference) {
      return unsafe .detached(commit: GitObjectID(target.pointee))
    }
    guard let target = unsafe git_reference_symbolic_target(reference) else {
      throw GitError(.corrupt, "Cannot read HEAD of '\(gitDirectory)': it names neither a commit nor a branch.")
    }
    let full = unsafe String(cString: target)
    let name = full.hasPrefix("refs/heads/") ? String(full.dropFirst("refs/heads/".count)) : full
    var oid = git_oid()
    let exists = try find("read branch '\(name)'") { unsafe git_reference_name_to_id(&oid, pointer, target) }
    return exists ? .branch(name: name, commit: GitObjectID(oid)) : .unborn(branch: name)
  }
}
