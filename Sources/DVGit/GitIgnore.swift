import CGit2

extension GitRepository {
  /// Returns whether git ignores `path`, by `.gitignore` files, `info/exclude` or the user's excludes file.
  ///
  /// A file that git tracks may be ignored too: ask ``GitIndex/entries(under:)``.
  ///
  /// - Parameter isDirectory: whether it is a directory, which patterns like `build/` ask.
  public func isIgnored(_ path: GitPath, isDirectory: Bool = false) throws(GitError) -> Bool {
    guard !path.isRoot else { return false }
    let asked = isDirectory ? GitPath(unchecked: path.bytes + [UInt8(ascii: "/")]) : path
    var ignored: CInt = 0
    try check("ask whether git ignores '\(path)'") {
      unsafe asked.withCString { unsafe git_ignore_path_is_ignored(&ignored, pointer, $0) }
    }
    return ignored == 1
  }
}
