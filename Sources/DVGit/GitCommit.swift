import CGit2

/// What a commit says.
public struct GitCommit: Hashable, Sendable {
  public let id: GitObjectID
  /// The tree of its files.
  public let tree: GitObjectID
  /// The commits it follows, the branch merged into first; none for a first commit.
  ///
  /// In a shallow clone they may not be there: ``GitRepository/commits(from:hiding:firstParentOnly:)`` knows.
  public let parents: [GitObjectID]
  public let author: GitSignature
  /// When it was committed, in seconds since 1970.
  public let commitTime: Int64
  /// The whole message; bytes that are no UTF-8 are replaced.
  public let message: String
}

/// Who did something, and when.
public struct GitSignature: Hashable, Sendable {
  public let name: String
  public let email: String
  /// In seconds since 1970.
  public let time: Int64
  /// How far the clock on the wall was ahead of UTC, in minutes.
  public let offset: Int

  public init(name: String, email: String, time: Int64, offset: Int) {
    self.name = name
    self.email = email
    self.time = time
    self.offset = offset
  }
}

extension GitSignature {
  init(_ signature: git_signature) {
    name = unsafe signature.name.map { unsafe String(cString: $0) } ?? ""
    email = unsafe signature.email.map { unsafe String(cString: $0) } ?? ""
    time = unsafe signature.when.time
    offset = unsafe Int(signature.when.offset)
  }
}

extension GitRepository {
  /// Returns what the commit `id` says.
  ///
  /// - Throws: ``GitError/Code/notFound``, as in a shallow clone; ``GitError/Code/corrupt``.
  public func commit(_ id: GitObjectID) throws(GitError) -> GitCommit {
    var oid = id.oid
    let commit = unsafe try make("read commit \(id.shortHex)") { unsafe git_commit_lookup(&$0, pointer, &oid) }
    defer { unsafe git_commit_free(commit) }
    guard let author = unsafe git_commit_author(commit), let tree = unsafe git_commit_tree_id(commit) else {
      throw GitError(.corrupt, "Commit \(id.shortHex) has no author or no tree.")
    }
    return unsafe GitCommit(
      id: id, tree: GitObjectID(tree.pointee), parents: parents(of: commit), author: GitSignature(author.pointee),
      commitTime: git_commit_time(commit),
      message: git_commit_message(commit).map { unsafe String(cString: $0) } ?? "")
  }

  /// Returns the author git would write into a commit now (`user.name`, `user.email`), or `nil` if none is configured.
  ///
  /// The environment (`GIT_AUTHOR_NAME`) is the caller's to ask.
  public func signature() throws(GitError) -> GitSignature? {
    var signature: UnsafeMutablePointer<git_signature>?
    let exists = try find("read user.name and user.email") { unsafe git_signature_default(&signature, pointer) }
    guard exists, let signature = unsafe signature else { return nil }
    defer { unsafe git_signature_free(signature) }
    return unsafe GitSignature(signature.pointee)
  }

  /// Returns the best common ancestor of two commits, or `nil` if they have none.
  public func mergeBase(_ one: GitObjectID, _ other: GitObjectID) throws(GitError) -> GitObjectID? {
    var base = git_oid()
    var (first, second) = (one.oid, other.oid)
    let exists = try find("find where \(one.shortHex) and \(other.shortHex) parted") {
      unsafe git_merge_base(&base, pointer, &first, &second)
    }
    return exists ? GitObjectID(base) : nil
  }

  func parents(of commit: OpaquePointer) -> [GitObjectID] {
    unsafe (0..<git_commit_parentcount(commit)).compactMap { index in
      unsafe git_commit_parent_id(commit, index).map { unsafe GitObjectID($0.pointee) }
    }
  }
}
