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

  /// Removes a reference; what it named stays.
  ///
  /// - Returns: whether there was one.
  public func removeReference(_ name: String) throws(GitError) -> Bool {
    var found: OpaquePointer?
    guard try find("read '\(name)'", { unsafe git_reference_lookup(&found, pointer, name) }), let reference = unsafe found else {
      return false
    }
    defer { unsafe git_reference_free(reference) }
    try check("remove '\(name)'") { unsafe git_reference_delete(reference) }
    return true
  }

  /// Whether `name` may be the full name of a reference, as `git check-ref-format` says.
  public static func isReferenceName(_ name: String) -> Bool {
    Libgit2.start()
    var isValid: CInt = 0
    return unsafe git_reference_name_is_valid(&isValid, name) == 0 && isValid == 1
  }
}
