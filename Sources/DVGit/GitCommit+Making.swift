import CGit2
import SystemPackage

extension GitRepository {
  /// Stores what the index of this working tree holds as a tree.
  public func writeTree() throws(GitError) -> GitObjectID {
    let index = unsafe try readIndex(gitDirectory.appending("index"))
    defer { unsafe git_index_free(index) }
    var id = git_oid()
    try check("store the index of '\(gitDirectory)' as a tree") { unsafe git_index_write_tree_to(&id, index, pointer) }
    return GitObjectID(id)
  }

  /// Stores a commit. No reference is changed.
  ///
  /// - Throws: ``GitError/Code/notFound`` if tree or parents are not there.
  public func makeCommit(
    tree: GitObjectID, parents: [GitObjectID], author: GitSignature, message: String
  ) throws(GitError) -> GitObjectID {
    guard !author.name.utf8.contains(0), !author.email.utf8.contains(0), !message.utf8.contains(0) else {
      throw GitError(.invalid, "A commit cannot have a NUL byte.")
    }
    let stored = unsafe try lookUpTree(tree)
    defer { unsafe git_tree_free(stored) }
    var commits: [OpaquePointer?] = unsafe []
    defer { for unsafe commit in unsafe commits { unsafe git_commit_free(commit) } }
    for parent in parents {
      var oid = parent.oid
      unsafe commits.append(try make("read commit \(parent.shortHex)") { unsafe git_commit_lookup(&$0, pointer, &oid) })
    }
    var signature: UnsafeMutablePointer<git_signature>?
    try check("make a signature") {
      unsafe git_signature_new(&signature, author.name, author.email, author.time, CInt(author.offset))
    }
    defer { unsafe git_signature_free(signature) }
    var id = git_oid()
    try check("store a commit") {
      unsafe commits.withUnsafeMutableBufferPointer { buffer in
        unsafe git_commit_create(
          &id, pointer, nil, signature, signature, nil, message, stored, buffer.count, buffer.baseAddress)
      }
    }
    return GitObjectID(id)
  }

  /// Makes a reference.
  ///
  /// - Parameter replaces: whether one of that name may be there.
  /// - Throws: ``GitError/Code/invalid`` if the name is none, or taken.
  public func setReference(_ name: String, to target: GitObjectID, replaces: Bool = false) throws(GitError) {
    guard !name.utf8.contains(0) else { throw GitError(.invalid, "The name of a reference cannot have a NUL byte.") }
    var oid = target.oid
    let reference = unsafe try make("make the reference '\(name)'") {
      unsafe git_reference_create(&$0, pointer, name, &oid, replaces ? 1 : 0, nil)
    }
    unsafe git_reference_free(reference)
  }

  /// Removes a reference.
  ///
  /// - Returns: whether it was there.
  @discardableResult
  public func removeReference(_ name: String) throws(GitError) -> Bool {
    guard !name.utf8.contains(0) else { return false }
    return try find("remove the reference '\(name)'") {
      var id = git_oid()
      let status = unsafe git_reference_name_to_id(&id, pointer, name)
      return status < 0 ? status : unsafe git_reference_remove(pointer, name)
    }
  }

  /// Returns the references whose names begin with `prefix`, and what they name, sorted by name.
  ///
  /// - Complexity: O(references); reads no object.
  public func referenceTargets(prefix: String) throws(GitError) -> [(name: String, target: GitObjectID)] {
    let iterator = unsafe try make("list the references of '\(commonDirectory)'") {
      unsafe git_reference_iterator_glob_new(&$0, pointer, prefix + "*")
    }
    defer { unsafe git_reference_iterator_free(iterator) }
    var found: [(name: String, target: GitObjectID)] = []
    while true {
      var next: OpaquePointer?
      let status = unsafe git_reference_next(&next, iterator)
      if status == GIT_ITEROVER.rawValue { break }
      try check("list the references of '\(commonDirectory)'") { status }
      guard let next = unsafe next else { break }
      defer { unsafe git_reference_free(next) }
      guard let target = unsafe git_reference_target(next) else { continue }
      unsafe found.append((String(cString: git_reference_name(next)), GitObjectID(target.pointee)))
    }
    return found.sorted { $0.name < $1.name }
  }

  /// Gathers references that are files of their own in one, as `git pack-refs --all` does.
  public func packReferences() throws(GitError) {
    let database = unsafe try make("open the references of '\(commonDirectory)'") {
      unsafe git_repository_refdb(&$0, pointer)
    }
    defer { unsafe git_refdb_free(database) }
    try check("pack the references of '\(commonDirectory)'") { unsafe git_refdb_compress(database) }
  }
}
