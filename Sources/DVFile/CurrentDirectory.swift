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
}
