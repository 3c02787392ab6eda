import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The variables that the process was started with. Only the program asks; modules are told.
public enum ProcessEnvironment {
  /// Returns the value of a variable, or `nil` if it is not set.
  public static func variable(_ name: String) -> String? {
    // Nothing here changes the environment, so the text stays where it is while it is copied.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}

extension ProcessEnvironment {
  /// All variables as `NAME=value`, for a program that is run.
  ///
  /// As the process was started with them, from `/proc`: C's own list may change while it is read.
  public static var all: [[UInt8]] {
    guard let bytes = try? FilePath("/proc/self/environ").readKernelFile(limit: 16 << 20) else { return [] }
    return bytes.split(separator: 0).map(Array.init)
  }
}
