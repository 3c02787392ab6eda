import CGit2

/// A walk over commits and all they follow, newest first, each once.
///
/// It stops at the boundary of a shallow clone, as git does. (libgit2's own walk, in 1.5, goes past it and fails.)
public struct CommitWalk {
  private let repository: GitRepository
  private let firstParentOnly: Bool
  private let boundary: Set<GitObjectID>
  /// Commits never to be returned: those hidden, and those returned or waiting already.
  private var known: Set<GitObjectID> = []
  private var waiting = CommitQueue()

  init(
    _ repository: GitRepository, from starts: [GitObjectID], hiding hidden: [GitObjectID], firstParentOnly: Bool
  ) throws(GitError) {
    self.repository = repository
    self.firstParentOnly = firstParentOnly
    boundary = try repository.shallowBoundary()
    // What is hidden is walked whole, so that wrong clocks cannot let an old commit slip through.
    for id in hidden { try enqueue(id) }
    while let commit = waiting.popNewest() {
      for parent in commit.parents { try enqueue(parent) }
    }
    for id in starts { try enqueue(id) }
  }

  /// Returns the next commit, or `nil` after the last.
  public mutating func next() throws(GitError) -> GitObjectID? {
    guard let commit = waiting.popNewest() else { return nil }
    for parent in firstParentOnly ? commit.parents.prefix(1) : commit.parents[...] { try enqueue(parent) }
    return commit.id
  }

  private mutating func enqueue(_ id: GitObjectID) throws(GitError) {
    guard known.insert(id).inserted else { return }
    var oid = id.oid
    let commit = unsafe try make("read commit \(id.shortHex)") {
      unsafe git_commit_lookup(&$0, repository.pointer, &oid)
    }
    defer { unsafe git_commit_free(commit) }
    let parents = unsafe boundary.contains(id) ? [] : repository.parents(of: commit)
    unsafe waiting.push(.init(id: id, time: git_commit_time(commit), parents: parents))
  }
}

extension GitRepository {
  /// Returns a walk over `starts` and all they follow, without `hidden` and all they follow.
  public func commits(
    from starts: [GitObjectID], hiding hidden: [GitObjectID] = [], firstParentOnly: Bool = false
  ) throws(GitError) -> CommitWalk {
    try CommitWalk(self, from: starts, hiding: hidden, firstParentOnly: firstParentOnly)
  }

  /// Calls `body` with each commit of ``commits(from:hiding:firstParentOnly:)``, until it throws.
  public func forEachCommit(
    from starts: [GitObjectID], hiding hidden: [GitObjectID] = [], firstParentOnly: Bool = false,
    _ body: (GitObjectID) throws -> Void
  ) throws {
    var walk = try commits(from: starts, hiding: hidden, firstParentOnly: firstParentOnly)
    while let commit = try walk.next() { try body(commit) }
  }
}
