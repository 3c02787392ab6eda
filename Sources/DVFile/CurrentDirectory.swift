public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The directory that relative paths start from: one for the whole process.
public enum CurrentDirectory {
  /// Makes `path` the current directory. Only for the start of a program, before other threads use relative paths.
  public static func change(to path: FilePath) throws(Errno) {
    guard unsafe path.withPlatformString({ unsafe chdir($0) }) == 0 else { throw Errno(rawValue: errno) }
  }

  /// The absolute path of the current directory, without links.
  ///
  /// - Throws: `Errno.noSuchFileOrDirectory` if it was removed.
  public static func path() throws(Errno) -> FilePath {
    guard let text = unsafe getcwd(nil, 0) else { throw Errno(rawValue: errno) }
    defer { unsafe free(text) }
    return unsafe FilePath(platformString: text)
  }
}

extension FilePath {
  /// Returns this path, which must exist, as an absolute one without links, `.` and `..`; `nil` if it cannot be followed.
  public func resolvingLinks() -> FilePath? {
    unsafe withPlatformString { text in
      guard let resolved = unsafe realpath(text, nil) else { return nil }
      defer { unsafe free(resolved) }
      return unsafe FilePath(platformString: resolved)
    }
  }
}
