import DVFile
public import SystemPackage

/// A cache that is kept in a file of its own, replaced as a whole.
public protocol CacheFile {
  /// Reads a cache; `nil` if the bytes are not what ``encoded()`` writes.
  init?(validating bytes: [UInt8])

  /// Returns the bytes of the file.
  func encoded() -> [UInt8]
}

extension CacheFile {
  /// Reads the cache at `file`.
  ///
  /// - Returns: `nil` if there is none that can be used, for whatever reason: for a cache that only saves time.
  public static func read(_ file: FilePath) -> Self? { try? load(file) }

  /// Reads the cache at `file`, of which more depends than time.
  ///
  /// - Returns: `nil` if there is none, or a damaged one.
  /// - Throws: ``WorkspaceError`` if it cannot be read.
  public static func load(_ file: FilePath) throws(WorkspaceError) -> Self? {
    do throws(FileError) { return Self(validating: try file.readAll(limit: .max)) } catch {
      if error.code == .notFound || error.code == .notDirectory { return nil }
      throw WorkspaceError(error)
    }
  }

  /// Writes the cache to `file`, making its directory, so that a reader finds the old one or the new.
  ///
  /// It is not synced: a crash of the machine may lose it, which costs the time it saves.
  public func write(to file: FilePath) throws(WorkspaceError) {
    do throws(FileError) {
      try file.containingDirectory.createDirectories()
      try file.replaceContent(with: encoded().span, durable: false)
    } catch {
      throw WorkspaceError(error)
    }
  }
}

extension StatCache: CacheFile {}
extension PointerCache: CacheFile {}
