import CGit2

/// The library that reads git repositories.
public enum GitLibrary {
  /// Its version, such as `1.9.1`.
  public static var version: String {
    var (major, minor, revision): (CInt, CInt, CInt) = (0, 0, 0)
    unsafe git_libgit2_version(&major, &minor, &revision)
    return "\(major).\(minor).\(revision)"
  }
}
