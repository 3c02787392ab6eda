public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The terminal, if any, that a descriptor leads to.
public enum Terminal {
  /// Returns whether `descriptor` leads to a terminal rather than to a file or a pipe.
  public static func isTerminal(_ descriptor: FileDescriptor) -> Bool { isatty(descriptor.rawValue) == 1 }

  /// Returns how many columns the terminal has, or `nil` if `descriptor` leads to none or it does not say.
  public static func width(_ descriptor: FileDescriptor) -> Int? {
    var size = winsize()
    guard unsafe ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}
