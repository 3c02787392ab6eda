import CGit2

extension GitRepository {
  /// Makes a reference.
  ///
  /// - Throws: ``GitError/Code/invalid`` if there is one of this name, or the name cannot be one.
  public func createReference(_ name: String, at target: GitObjectID) throws(GitError) {
    var oid = target.oid
    let reference = unsafe try make("create '\(name)'") { unsafe git_reference_create(&$0, pointer, name, &oid, 0, nil) }
    unsafe git_reference_free(reference)
  }

  /// Whether `name` may be the full name of a reference, as `git check-ref-format` says.
  public static func isReferenceName(_ name: String) -> Bool {
    Libgit2.start()
    var isValid: CInt = 0
    return unsafe git_reference_name_is_valid(&isValid, name) == 0 && isValid == 1
  }
}
