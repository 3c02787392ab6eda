import CGit2

extension GitRepository {
  /// Returns the commit that `revision` names in git's syntax: a branch, a tag, an abbreviation, `HEAD~3`, `v1^{}` …
  ///
  /// - Throws: ``GitError/Code/notFound`` if it names nothing, ``GitError/Code/ambiguous`` if it is too short,
  ///   ``GitError/Code/invalid`` if it is no revision or names something else than a commit.
  public func resolve(revision: String) throws(GitError) -> GitObjectID {
    guard !revision.utf8.contains(0) else { throw GitError(.invalid, "A revision cannot have a NUL byte.") }
    do {
      let object = unsafe try make("find revision '\(revision)'") { unsafe git_revparse_single(&$0, pointer, revision) }
      defer { unsafe git_object_free(object) }
      let commit = unsafe try make("find the commit of '\(revision)'") {
        unsafe git_object_peel(&$0, object, GIT_OBJECT_COMMIT)
      }
      defer { unsafe git_object_free(commit) }
      return unsafe GitObjectID(git_object_id(commit).pointee)
    } catch {
      throw explain(error, revision)
    }
  }

  private func explain(_ error: GitError, _ revision: String) -> GitError {
    switch error.code {
    case .notFound where (try? isShallow) == true:
      GitError(
        .notFound,
        "Revision '\(revision)' names nothing in this shallow clone. Run 'git fetch --unshallow' if it is an older commit."
      )
    case .notFound:
      GitError(.notFound, "Revision '\(revision)' names no commit, branch or tag of this repository.")
    case .ambiguous:
      GitError(.ambiguous, "Revision '\(revision)' is ambiguous: several objects begin like this. Give more digits.")
    case .invalid:
      GitError(.invalid, "'\(revision)' is no revision that names a commit. See 'git help revisions'.")
    default: error
    }
  }
}
