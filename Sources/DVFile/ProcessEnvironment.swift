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
