import DVFile
import DVObject
public import DVWorkspace
import SystemPackage

/// The stat caches of one working tree, one for each target that dv added or checked out there.
///
///     stat/<name>          the cache, see `docs/format/stat-cache.md`
///     stat/<name>.path     the target's path, for finding caches of targets whose pointer is gone
///
/// Nothing but time is lost with them, except that without its cache dv does not know that it put a file there.
public struct StatCaches: Sendable {
  private let directory: FilePath

  /// - Parameter directory: where they lie; it need not exist.
  init(in directory: FilePath) { self.directory = directory }

  private static let pathSuffix = ".path"

  private func file(of target: TreePath) -> FilePath { directory.appending(StatCache.fileName(forTarget: target)) }

  private func pathFile(of target: TreePath) -> FilePath {
    directory.appending(StatCache.fileName(forTarget: target) + Self.pathSuffix)
  }

  /// Returns the cache of a target; `nil` if there is none or it is damaged.
  ///
  /// - Throws: ``WorkspaceError`` if it cannot be read: it also tells which files dv put there, so without it a checkout would
  ///   leave those that the new version does not have, as if they were the user's.
  public func load(_ target: TreePath) throws(WorkspaceError) -> StatCache? {
    do throws(WorkspaceError) { return try StatCache.load(file(of: target)) } catch {
      throw WorkspaceError(
        error.code == .denied ? .denied : .io, "Cannot tell what dv put at '\(target)': \(error.message)", paths: [target], cause: error)
    }
  }

  /// Keeps the cache of a target.
  public func save(_ cache: StatCache, of target: TreePath) throws {
    try directory.createDirectories()
    let path = pathFile(of: target)
    if try path.fileStat() == nil { try path.replaceContent(with: target.bytes.span, durable: false) }
    try cache.write(to: file(of: target))
  }

  /// Forgets a target: from now on what is at its place is the user's alone.
  public func remove(_ target: TreePath) throws {
    try file(of: target).removeFile()
    try pathFile(of: target).removeFile()
  }

  /// Returns all targets that have a cache, in order.
  public func targets() throws -> [TreePath] {
    guard try directory.fileStat() != nil else { return [] }
    let listing = try directory.listDirectory()
    var found: [TreePath] = []
    for index in listing.indices {
      let name = listing.name(at: index)
      guard name.suffix(Self.pathSuffix.utf8.count).elementsEqual(Self.pathSuffix.utf8) else { continue }
      let bytes: [UInt8]
      do throws(FileError) { bytes = try directory.appending(name: name).readAll(limit: 64 << 10) } catch {
        // Forgotten meanwhile, or nothing that dv wrote.
        if [.notFound, .input, .symlink, .notRegular, .isDirectory].contains(error.code) { continue }
        throw error
      }
      guard let target = TreePath(bytes), !target.isRoot, try file(of: target).fileStat() != nil else { continue }
      found.append(target)
    }
    return found.sorted()
  }
}

extension Repository {
  /// The stat caches of this working tree.
  public var statCaches: StatCaches { StatCaches(in: treeDirectory.appending("stat")) }

  /// Reads the `.dvignore` files above a target.
  public func ignoreRules(above target: TreePath) throws -> IgnoreRules {
    let root = try requireWorkDirectory()
    var rules = IgnoreRules()
    var directory = TreePath.root
    for name in target.names {
      let file = root.appending(directory).appending(name: IgnoreRules.fileName)
      if try file.fileStat()?.kind == .regular {
        rules.add(try file.readAll(limit: 16 << 20), in: directory.bytes)
      }
      directory = directory.appending(name)
    }
    return rules
  }
}
