import SystemPackage

/// A commit that an unfinished git operation in a working tree relies on.
public struct GitOperationHead: Hashable, Sendable {
  /// The file of the git directory that names it, such as `MERGE_HEAD`.
  public let name: String
  public let commit: GitObjectID
}

extension GitRepository {
  /// Returns the commits that a merge, rebase, cherry-pick, revert or bisection under way relies on, and where `HEAD`
  /// was before the last such step.
  ///
  /// Branches need not name them: what collects garbage has to ask here, once for each of ``worktrees()``.
  public func operationHeads() throws(GitError) -> [GitOperationHead] {
    var heads: [GitOperationHead] = []
    for name in Self.operationFiles {
      guard let text = try readSmallFile(gitDirectory.appending(name)) else { continue }
      // MERGE_HEAD has a line for each branch of an octopus; FETCH_HEAD has words after the ID.
      for line in text.split(separator: "\n") {
        guard let word = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first,
          let id = try? GitObjectID(hex: word), !id.isNull
        else { continue }
        heads.append(GitOperationHead(name: name, commit: id))
      }
    }
    return heads
  }

  private static let operationFiles = [
    "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "ORIG_HEAD", "BISECT_HEAD", "MERGE_AUTOSTASH",
    "rebase-merge/orig-head", "rebase-merge/onto", "rebase-merge/autostash", "rebase-merge/stopped-sha",
    "rebase-apply/orig-head", "rebase-apply/onto", "rebase-apply/autostash", "rebase-apply/original-commit",
  ]
}
