import DVFile
public import SystemPackage

extension StatCache {
  /// Reads the cache at `file`.
  ///
  /// - Returns: `nil` if there is none that can be used, for whatever reason: a cache only saves time.
  public static func read(_ file: FilePath) -> StatCache? {
    guard let bytes = try? file.readAll(limit: .max) else { return nil }
    return StatCache(validating: bytes)
  }

  /// Writes the cache to `file`, making its directory, so that a reader finds the old one or the new.
  ///
  /// It is not synced: a crash of the machine may lose it, which costs a hash of everything.
  public func write(to file: FilePath) throws(WorkspaceError) {
    do throws(FileError) {
      try file.containingDirectory.createDirectories()
      try file.replaceContent(with: encoded().span, durable: false)
    } catch {
      throw WorkspaceError(error)
    }
  }
}
