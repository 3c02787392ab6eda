import CZstd

/// The library that compresses.
public enum ZstdLibrary {
  /// Its version, such as `1.5.7`.
  public static var version: String { unsafe String(cString: ZSTD_versionString()) }
}
