import DVFile
import DVObject
public import SystemPackage

/// A look at one tracked file or directory on disk: what is there, and what of it must be read because the cache does not
/// vouch for it.
///
/// Directories are looked at level by level, those of one level (and the names of a very large one) on all cores. A file
/// that the cache vouches for costs one system call and no allocation.
public struct TreeScan: Sendable {
  /// How many directories may lie within each other.
  public static let maximumDepth = 4096

  /// The target on disk.
  public let location: FilePath
  /// The target, relative to the working tree's root; ignore rules and messages use it.
  public let target: TreePath
  /// The rules of the `.dvignore` files above the target, relative to the working tree's root.
  public let rules: IgnoreRules

  public init(location: FilePath, target: TreePath, rules: IgnoreRules = IgnoreRules()) {
    self.location = location
    self.target = target
    self.rules = rules
  }

  /// Looks at the disk.
  ///
  /// - Returns: `nil` if nothing is there.
  /// - Throws: ``WorkspaceError`` if a directory cannot be read. What is there but cannot be tracked is no error here:
  ///   see ``ScanResult/problems``.
  /// - Complexity: one `lstat` for each name.
  public func run(cache: StatCache?) async throws(WorkspaceError) -> ScanResult? {
    let start = FileTime.now
    do {
      guard let stat = try location.fileStat() else { return nil }
      switch stat.kind {
      case .directory:
        return try await directory(cache: cache, start: start)
      case .regular:
        return file(stat, cache: cache, start: start)
      case .symlink, .other:
        // A link in place of the target must not be followed: what it leads to was never added.
        throw FileError(
          code: .notRegular, path: location,
          message: "'\(target)' is not a file or a directory\(stat.kind == .symlink ? " but a symbolic link" : "").")
      }
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }

  private func file(_ stat: FileStat, cache: StatCache?, start: FileTime) -> ScanResult {
    var entry = StatEntry(stat, mode: stat.isExecutable ? .executable : .file)
    var changes = 1
    if let cache, let old = cache.state.entries.first, !cache.state.isDirectory {
      let isSame =
        cache.state.device == stat.device && old.flags.contains([.hashed, .trusted]) && old.hasIdentity(stat)
        && old.mode == entry.mode
      entry.oid = old.oid
      entry.savedMode = old.savedMode
      entry.flags = isSame ? old.flags : old.flags.intersection(.saved)
      if isSame { changes = 0 }
    }
    var state = TreeState()
    state.device = stat.device
    state.entries = [entry]
    return ScanResult(state: state, rules: rules.digest, start: start, toHash: changes)
  }

  private func directory(cache: StatCache?, start: FileTime) async throws -> ScanResult {
    let digest = rules.digest
    let old = cache.flatMap { $0.state.isDirectory ? $0.state : nil }
    let root = OpenDirectory(try DirectoryHandle(location))
    let origin = PendingDirectory(
      path: .root, parent: 0, entryInParent: 0, cached: old == nil ? nil : 0, rules: rules,
      rulesChanged: cache?.rules != digest)
    var assembly = ScanAssembly(old: old)
    var level = [origin]
    var depth = 0
    while !level.isEmpty {
      let width = Machine.coreCount
      // Some batches more than cores, so that one with slow directories does not hold up the level.
      let batchSize = max(1, min(64, level.count / (width * 4)))
      let batches = stride(from: 0, to: level.count, by: batchSize).map { level[$0..<min($0 + batchSize, level.count)] }
      let target = target
      let found = try await batches.mapConcurrently(width: width) { batch in
        var reader = DirectoryReader(root: root, target: target, old: old)
        var found: [FoundDirectory] = []
        for pending in batch { found.append(try await reader.read(pending)) }
        return found
      }
      var next: [PendingDirectory] = []
      for directory in found.joined() {
        assembly.append(directory, next: &next)
      }
      depth += 1
      if depth > Self.maximumDepth, let first = next.first {
        assembly.problems.append(ScanProblem(path: target.appending(first.path), reason: .tooDeep))
        assembly.dropChildren(next)
        next = []
      }
      level = next
    }
    return assembly.finish(rules: digest, start: start)
  }
}
