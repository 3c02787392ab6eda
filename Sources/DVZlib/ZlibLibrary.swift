import CZlib

/// The library that inflates, and computes CRC-32.
public enum ZlibLibrary {
  /// Its version, such as `1.3.1`.
  public static var version: String { unsafe String(cString: zlibVersion()) }
}
