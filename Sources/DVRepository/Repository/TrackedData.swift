import DVFile
public import DVGit
public import DVObject
public import DVStore
public import DVWorkspace
public import SystemPackage

/// Data that dv tracks: what a pointer says, at one revision or in the working tree.
public struct TrackedData: Hashable, Sendable {
  /// The file or directory, relative to the working tree's root.
  public let target: TreePath
  public let pointer: Pointer

  public init(target: TreePath, pointer: Pointer) {
    self.target = target
    self.pointer = pointer
  }

  /// The pointer's own path.
  public var pointerPath: TreePath { PointerFile.path(for: target) }

  /// What a transfer is asked for.
  ///
  /// - Parameter inside: the part that is wanted; the root for all of it.
  public func root(inside: TreePath = .root) throws -> TransferRoot {
    TransferRoot(
      kind: pointer.kind == .tree ? .tree : .file, oid: pointer.oid, size: pointer.size, label: target.description,
      inside: inside.isRoot ? [] : try inside.names.map { try TreeName($0) })
  }
}

/// A pointer that cannot be read. It breaks only itself.
public struct UnreadablePointer: Hashable, Sendable {
  public let target: TreePath
  /// Whether git left conflict markers in it.
  public let isConflicted: Bool
  public let message: String
}

/// What a command's path arguments mean.
public struct Selection: Sendable {
  /// A target, and which part of it.
  public struct Item: Hashable, Sendable {
    public let data: TrackedData
    /// The root for all of it.
    public let inside: TreePath
  }

  public var items: [Item] = []
  public var unreadable: [UnreadablePointer] = []

  public init(items: [Item] = []) { self.items = items }

  fileprivate mutating func add(_ item: PointerSearch.Found.Item) throws(WorkspaceError) {
    switch item.result {
    case .success(let file): add(file)
    case .failure(let error): try add(error, at: item.path)
    }
  }

  fileprivate mutating func add(_ file: PointerFile, inside: TreePath = .root) {
    items.append(Item(data: TrackedData(target: file.target, pointer: file.pointer), inside: inside))
  }

  /// Adds a pointer that cannot be read; throws an error that concerns more than that.
  fileprivate mutating func add(_ error: WorkspaceError, at pointer: TreePath) throws(WorkspaceError) {
    guard error.code == .pointer || error.code == .conflicted else { throw error }
    unreadable.append(
      UnreadablePointer(
        target: PointerFile.target(of: pointer), isConflicted: error.code == .conflicted, message: error.message))
  }
}

/// All pointers of a working tree, yet to be read.
struct SelectionOfAll: Sendable {
  fileprivate let search: PointerSearch
  /// What is known of pointers that were read before.
  fileprivate let cache: FilePath

  /// So many pointers that were not known are worth writing the cache anew.
  private static let freshPointers = 64

  /// Reads them.
  func read() throws(WorkspaceError) -> Selection {
    let found = try search.read(cache: PointerCache.read(cache))
    // It only saves time, and who may not write here reads.
    if found.readCount >= Self.freshPointers { try? found.cache.write(to: cache) }
    var selection = Selection()
    selection.items.reserveCapacity(found.items.count)
    for item in found.items { try selection.add(item) }
    return selection
  }
}

extension Repository {
  /// Turns a path as the user wrote it, relative to the current directory, into one relative to the working tree's root.
  ///
  /// - Parameter directory: the current directory, absolute and without links.
  /// - Throws: ``RepositoryError/Code/usage`` if it lies outside.
  public func treePath(_ text: String, from directory: FilePath) throws -> TreePath {
    try treePath(FilePath(text), from: directory)
  }

  /// Turns a path as the user wrote it into one relative to the working tree's root; see ``treePath(_:from:)``.
  public func treePath(_ given: FilePath, from directory: FilePath) throws -> TreePath {
    let root = try requireWorkDirectory().lexicallyNormalized()
    let path = directory.pushing(given).lexicallyNormalized()
    if let inside = Self.relative(path, to: root) { return inside }
    // The same place by another way, such as an absolute path through a link. The last name itself is never followed.
    if let name = path.lastComponent, let parent = path.removingLastComponent().resolvingLinks(),
      let inside = Self.relative(parent.appending(name), to: root)
    {
      return inside
    }
    throw RepositoryError(.usage, "'\(given.printable)' lies outside the repository '\(root.printable)'.")
  }

  private static func relative(_ path: FilePath, to root: FilePath) -> TreePath? {
    let bytes = path.rawBytes
    var top = root.rawBytes
    if top.last == UInt8(ascii: "/") { top.removeLast() }
    if bytes == top || path == root { return .root }
    guard bytes.starts(with: top + [UInt8(ascii: "/")]) else { return nil }
    return TreePath(bytes.dropFirst(top.count + 1))
  }

  /// Makes the search for pointers of this working tree, which asks git what is ignored.
  public func pointerSearch() throws -> PointerSearch {
    let root = try requireWorkDirectory()
    // A repository of its own for the closure: libgit2's objects belong to one thread at a time.
    let ignore = IgnoreQuestion(root, gitDirectory: namedGitDirectory)
    return PointerSearch(root: root) { path, isDirectory in try ignore.isIgnored(path, isDirectory: isDirectory) }
  }

  /// Reads the pointers of the working tree that `paths` select: a pointer, its target, a path inside the target, or a
  /// directory with pointers below. No path selects all.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for a path that selects nothing.
  public func select(_ paths: [TreePath]) throws -> Selection {
    if paths.isEmpty { return try selectAll().read() }
    let root = try requireWorkDirectory()
    let search = try pointerSearch()
    var selection = Selection()
    var seen: Set<TreePath> = []
    for path in paths {
      if let resolved = try search.resolve(path) {
        if let file = try read(resolved.pointer, root: root, into: &selection) {
          selection.add(file, inside: resolved.inside)
        }
        continue
      }
      let found = try pointers(below: path, search)
      guard !found.isEmpty || path.isRoot else {
        throw RepositoryError(
          .usage, "'\(path)' is not tracked by dv.", remedy: "Track it with 'dv add \(path)'; 'dv status' lists what is.")
      }
      for item in found where seen.insert(item.path).inserted {
        try selection.add(item)
      }
    }
    return selection
  }

  /// Returns what ``select(_:)`` reads without a path, yet to be read: by any thread, as it needs nothing of this repository.
  func selectAll() throws -> SelectionOfAll { SelectionOfAll(search: try pointerSearch(), cache: pointerCache) }

  private var pointerCache: FilePath { treeDirectory.appending("stat").appending("pointers") }

  /// Reads the pointers below a path, none if there is no such directory.
  private func pointers(below path: TreePath, _ search: PointerSearch) throws -> [PointerSearch.Found.Item] {
    do throws(WorkspaceError) {
      return try search.read(below: path, cache: PointerCache.read(pointerCache)).items
    } catch {
      guard error.code == .notFound || (error.cause as? FileError)?.code == .notDirectory else { throw error }
      return []
    }
  }

  private func read(_ path: TreePath, root: FilePath, into selection: inout Selection) throws -> PointerFile? {
    do throws(WorkspaceError) { return try PointerFile.read(path, in: root) } catch {
      try selection.add(error, at: path)
      return nil
    }
  }

  // MARK: Revisions

  /// Reads the pointers of a commit at or below `path`.
  public func data(in commit: GitObjectID, under path: TreePath = .root, walk: PointerWalk) throws -> [TrackedData] {
    try walk.pointers(in: commit, under: try GitPath(path.bytes)).compactMap { try data(of: $0) }
  }

  /// Reads one pointer of history; `nil` if it is none that can be read, as a conflict that somebody committed.
  public func data(of pointer: GitPointer) throws -> TrackedData? {
    guard pointer.size <= UInt64(Pointer.maximumByteCount), let path = TreePath(pointer.path.bytes) else { return nil }
    let bytes = try git.readBlob(pointer.blob, limit: Pointer.maximumByteCount)
    guard let read = try? Pointer(parsing: bytes.span, named: pointer.path.description) else { return nil }
    return TrackedData(target: PointerFile.target(of: path), pointer: read)
  }

  /// Finds what a path means at a commit: which pointer, and which part of its target.
  public func resolve(_ path: TreePath, in commit: GitObjectID) throws -> (data: TrackedData, inside: TreePath)? {
    let names = path.names
    var candidates: [(TreePath, TreePath)] = []
    if PointerFile.isPointerName(path) { candidates.append((path, .root)) }
    var target = TreePath.root
    for (index, name) in names.enumerated() {
      target = target.appending(name)
      let inside = names[(index + 1)...].reduce(TreePath.root) { $0.appending($1) }
      candidates.append((PointerFile.path(for: target), inside))
    }
    for (pointer, inside) in candidates {
      guard let bytes = try git.readBlob(at: try GitPath(pointer.bytes), in: commit, limit: 64 << 10) else { continue }
      let read = try Pointer(parsing: bytes.span, named: pointer.description)
      return (TrackedData(target: PointerFile.target(of: pointer), pointer: read), inside)
    }
    return nil
  }
}
