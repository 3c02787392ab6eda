import DVFile
import DVObject
public import SystemPackage

/// Finds pointers in a working tree.
public struct PointerSearch: Sendable {
  /// Says whether git ignores a path, relative to the working tree's root.
  public typealias GitIgnore = @Sendable (_ path: TreePath, _ isDirectory: Bool) throws -> Bool

  private let root: FilePath
  private let isIgnored: GitIgnore

  /// - Parameters:
  ///   - root: The working tree.
  ///   - isIgnored: Asked for directories only, once for each that has no pointer beside it.
  public init(root: FilePath, isIgnored: @escaping GitIgnore) {
    self.root = root
    self.isIgnored = isIgnored
  }

  /// Reads all pointers at or below `start`, in the order of their paths. One that is no valid pointer has its error, as
  /// ``PointerFile/read(_:in:)`` throws it.
  ///
  /// Directories that are tracked, that git ignores or that are a git directory or another working tree are not entered,
  /// nor are links.
  ///
  /// - Parameter cache: what is known of pointers that were read before.
  /// - Complexity: one system call for a pointer that the cache knows, four for another.
  public func read(below start: TreePath = .root, cache: PointerCache? = nil) throws(WorkspaceError) -> Found {
    var found = Found()
    do {
      let top = OpenDirectory(try DirectoryHandle(root, followingLink: true))
      var cursor = DirectoryCursor(root: top)
      var waiting = [start]
      var listing = DirectoryListing()
      var content: [UInt8] = []
      while let path = waiting.popLast() {
        let directory = try cursor.directory(at: path)
        try directory.handle.list(into: &listing)
        if path != start, listing.index(of: Array(".git".utf8)) != nil { continue }
        var pointers: [Int] = []
        for index in listing.indices {
          let (isPointer, isGit) = listing.withName(at: index) { ($0.isPointerName, $0.isGitDirectory) }
          if isGit { continue }
          var kind = listing.kind(at: index)
          if kind == nil { kind = try directory.handle.stat(in: listing, at: index)?.kind }
          switch kind {
          case .regular? where isPointer: pointers.append(index)
          case .directory?:
            let name = listing.name(at: index)
            let isTracked = listing.index(of: name + Array(Pointer.suffix.utf8)) != nil
            let inner = path.appending(name)
            if !isTracked, try !isIgnored(inner, true) { waiting.append(inner) }
          default: break
          }
        }
        try found.read(pointers, of: listing, in: directory.handle, at: path, cache, &content)
      }
    } catch {
      throw WorkspaceError(wrapping: error)
    }
    found.sort()
    return found
  }

  /// The pointers of a search.
  public struct Found: Sendable {
    /// One pointer.
    public struct Item: Sendable {
      public let path: TreePath
      public let result: Result<PointerFile, WorkspaceError>
      /// Its file, before its first byte was read.
      let stat: FileStat
    }

    /// In the order of the paths.
    public fileprivate(set) var items: [Item] = []
    /// How many were read, because no cache knew them.
    public fileprivate(set) var readCount = 0
    private let start = FileTime.now
    /// Whether each came behind those before it.
    private var isSorted = true
    /// Where the cache had the last one, which tells where to look for the next.
    private var place = 0

    /// Reads the pointers that `listing`, a listing of the directory at `path`, has at `indices`.
    fileprivate mutating func read(
      _ indices: [Int], of listing: DirectoryListing, in directory: borrowing DirectoryHandle, at path: TreePath, _ cache: PointerCache?,
      _ content: inout [UInt8]
    ) throws(FileError) {
      items.reserveCapacity(items.count + indices.count)
      let stats = try cache.map { _ throws(FileError) in try directory.stat(in: listing, at: indices) }
      for (number, index) in indices.enumerated() {
        let pointer = path.appending(listing.name(at: index))
        if let cache, let stats {
          guard let now = stats[number] else { continue }
          if let known = cache.pointer(at: pointer, now, near: &place) {
            append(Item(path: pointer, result: .success(PointerFile(path: pointer, pointer: known)), stat: now))
            continue
          }
        }
        let stat: FileStat
        do throws(FileError) {
          stat = try directory.readFile(in: listing, at: index, into: &content, limit: PointerFile.readLimit)
        } catch {
          // Deleted meanwhile.
          if error.code == .notFound { continue }
          throw error
        }
        readCount += 1
        let result: Result<PointerFile, WorkspaceError>
        do throws(WorkspaceError) { result = .success(try PointerFile(path: pointer, content: content.span)) } catch {
          result = .failure(error)
        }
        append(Item(path: pointer, result: result, stat: stat))
      }
    }

    private mutating func append(_ item: Item) {
      if let last = items.last, isSorted { isSorted = last.path < item.path }
      items.append(item)
    }

    fileprivate mutating func sort() {
      if !isSorted { items.sort { $0.path < $1.path } }
      isSorted = true
    }

    /// What may be believed of them later.
    public var cache: PointerCache {
      var cache = PointerCache()
      let rule = TrustRule(start: start)
      for item in items { if let file = try? item.result.get() { cache.append(item.path, file.pointer, item.stat, rule) } }
      return cache
    }
  }

  /// A path of the user's, in terms of what is tracked.
  public struct Resolution: Hashable, Sendable {
    /// The pointer.
    public let pointer: TreePath
    /// The part of its target that is meant; the root for all of it.
    public let inside: TreePath

    public init(pointer: TreePath, inside: TreePath) {
      self.pointer = pointer
      self.inside = inside
    }
  }

  /// Returns which pointer a path belongs to: the path of the pointer, of its target, or of anything inside the target.
  ///
  /// - Returns: `nil` if the path belongs to none; it may be a directory with pointers below.
  public func resolve(_ path: TreePath) throws(WorkspaceError) -> Resolution? {
    if PointerFile.isPointerName(path), try isFile(path) { return Resolution(pointer: path, inside: .root) }
    let names = path.names
    var target = TreePath.root
    for (index, name) in names.enumerated() {
      target = target.appending(name)
      let pointer = PointerFile.path(for: target)
      if try isFile(pointer) {
        let inside = TreePath(unchecked: Array(names[(index + 1)...].joined(separator: [.slash])))
        return Resolution(pointer: pointer, inside: inside)
      }
    }
    return nil
  }

  private func isFile(_ path: TreePath) throws(WorkspaceError) -> Bool {
    do throws(FileError) {
      return try root.appending(path).fileStat()?.kind == .regular
    } catch {
      if error.code == .notDirectory || error.code == .input { return false }
      throw WorkspaceError(error)
    }
  }
}
