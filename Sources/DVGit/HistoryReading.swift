import CGit2

/// A file that differs between two trees.
public struct GitFileChange: Hashable, Sendable {
  public let path: GitPath
  /// The blob before; `nil` if there was no file.
  public let old: GitObjectID?
  /// The blob after; `nil` if there is no file.
  public let new: GitObjectID?
}

extension GitRepository {
  /// Returns the commits that `starts` follow and that are not known yet, each after all of its parents.
  ///
  /// Whoever knows a commit knows all that it follows. Beyond the boundary of a shallow clone commits have no parents.
  ///
  /// - Complexity: O(commits that are new).
  public func unknownCommits(from starts: [GitObjectID], isKnown: (GitObjectID) throws -> Bool) throws -> [GitCommit] {
    let boundary = try shallowBoundary()
    var ordered: [GitCommit] = []
    var seen: Set<GitObjectID> = []
    var stack: [(commit: GitCommit, next: Int)] = []
    func push(_ id: GitObjectID) throws {
      guard seen.insert(id).inserted, try !isKnown(id) else { return }
      let commit = try commit(id)
      stack.append((boundary.contains(id) ? commit.withoutParents : commit, 0))
    }
    for start in starts {
      try push(start)
      while let top = stack.last {
        guard top.next < top.commit.parents.count else {
          ordered.append(top.commit)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        try push(top.commit.parents[top.next])
      }
    }
    return ordered
  }

  /// Calls `body` with each file that differs between two trees and that is wanted.
  ///
  /// - Parameters:
  ///   - old: `nil` for a tree without files.
  ///   - enters: whether a directory may hold wanted files.
  ///   - wants: whether a file is wanted.
  /// - Complexity: O(entries of the trees that differ): equal trees are not read.
  public func changes(
    from old: GitObjectID?, to new: GitObjectID?, enters: (GitPath) -> Bool = { _ in true }, wants: (GitPath) -> Bool,
    _ body: (GitFileChange) throws -> Void
  ) throws {
    func compare(_ old: GitObjectID?, _ new: GitObjectID?, at path: GitPath, depth: Int) throws {
      guard old != new else { return }
      guard depth < 2048 else { throw GitError(.corrupt, "'\(path)' lies deeper than git allows.") }
      let before = try old.map { try entries(of: $0) } ?? [:]
      let after = try new.map { try entries(of: $0) } ?? [:]
      // In the order of their bytes, so that what is made of it is the same each time.
      for (name, entry) in after.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        let place = path.appending(name)
        let other = before[name]
        guard other != entry else { continue }
        if entry.kind == .directory || other?.kind == .directory, enters(place) {
          try compare(
            other?.kind == .directory ? other?.id : nil, entry.kind == .directory ? entry.id : nil, at: place,
            depth: depth + 1)
        }
        let (oldBlob, newBlob) = (other.flatMap(\.blob), entry.blob)
        if oldBlob != newBlob, wants(place) { try body(GitFileChange(path: place, old: oldBlob, new: newBlob)) }
      }
      for (name, entry) in before.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) where after[name] == nil {
        let place = path.appending(name)
        if entry.kind == .directory {
          if enters(place) { try compare(entry.id, nil, at: place, depth: depth + 1) }
        } else if let blob = entry.blob, wants(place) {
          try body(GitFileChange(path: place, old: blob, new: nil))
        }
      }
    }
    try compare(old, new, at: .root, depth: 0)
  }

  private func entries(of id: GitObjectID) throws(GitError) -> [[UInt8]: GitTreeEntry] {
    let tree = unsafe try lookUpTree(id)
    defer { unsafe git_tree_free(tree) }
    var entries: [[UInt8]: GitTreeEntry] = [:]
    for index in 0..<(unsafe git_tree_entrycount(tree)) {
      guard let entry = unsafe git_tree_entry_byindex(tree, index),
        let kind = unsafe GitTreeEntry.Kind(git_tree_entry_filemode(entry))
      else { continue }
      entries[unsafe bytes(of: git_tree_entry_name(entry))] = GitTreeEntry(
        kind: kind, id: unsafe GitObjectID(git_tree_entry_id(entry).pointee))
    }
    return entries
  }
}

extension GitTreeEntry {
  /// The blob, if it is a file.
  fileprivate var blob: GitObjectID? { kind == .file || kind == .executable ? id : nil }
}

extension GitCommit {
  fileprivate var withoutParents: GitCommit {
    GitCommit(id: id, tree: tree, parents: [], author: author, commitTime: commitTime, message: message)
  }
}
