public import SystemPackage

/// A new directory that only this user may enter, removed with all that is in it when it goes away.
public struct TemporaryDirectory: ~Copyable, Sendable {
  public let path: FilePath

  /// Creates a directory of a random name in `parent`.
  public init(in parent: FilePath) throws(FileError) {
    path = parent.appending(RandomName.temporary())
    try path.createDirectories(mode: 0o700)
  }

  deinit {
    // Nobody is left to tell; what stays behind has a name that says it may be removed.
    try? path.removeTree()
  }
}
