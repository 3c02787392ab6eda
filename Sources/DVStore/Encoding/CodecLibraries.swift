import DVZlib
import DVZstd

/// The libraries that a store's codecs are made with.
public enum CodecLibraries {
  /// Name and version of each.
  public static var versions: [(name: String, version: String)] {
    [("zlib", ZlibLibrary.version), ("zstd", ZstdLibrary.version)]
  }
}
