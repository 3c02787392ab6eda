import CGit2

extension GitRepository {
  /// Returns the content of a file of the working tree as `git add` would store it, where that is not what is on disk:
  /// with the line endings that `.gitattributes` and `core.autocrlf` ask for. `nil` where no filter applies.
  ///
  /// Filters that are programs, such as git-lfs, are not run: libgit2 has only git's own.
  public func cleanContent(of path: GitPath) throws(GitError) -> [UInt8]? {
    var list: OpaquePointer?
    try check("find the filters of '\(path)'") {
      unsafe path.withCString {
        unsafe git_filter_list_load(&list, pointer, nil, $0, GIT_FILTER_TO_ODB, GIT_FILTER_DEFAULT.rawValue)
      }
    }
    guard let list = unsafe list else { return nil }
    defer { unsafe git_filter_list_free(list) }
    var buffer = unsafe git_buf()
    defer { unsafe git_buf_dispose(&buffer) }
    try check("filter '\(path)'") {
      unsafe path.withCString { unsafe git_filter_list_apply_to_file(&buffer, list, pointer, $0) }
    }
    guard unsafe buffer.size > 0, let start = unsafe buffer.ptr else { return [] }
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: buffer.size))
  }
}
