import DVFile
import DVGit
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// Finds out what the files and directories of a pipeline are, reading what no cache vouches for.
///
///     tracked by dv, there      what is on disk
///     tracked by dv, absent     what the pointer says
///     tracked by git            what `git add` would store
///     a directory of others     a digest of what is in it and not ignored, targets by their trees
struct ContentSurvey {
  let repository: Repository
  let progress: ProgressSink
  private let root: FilePath
  private let search: PointerSearch
  private let ignore: IgnoreQuestion
  private let store: LazyStore
  private let index: GitIndex

  init(_ repository: Repository, store: LazyStore, progress: ProgressSink) throws {
    self.repository = repository
    self.progress = progress
    self.store = store
    root = try repository.requireWorkDirectory()
    search = try repository.pointerSearch()
    ignore = IgnoreQuestion(root, gitDirectory: repository.namedGitDirectory)
    index = try repository.git.index()
  }

  /// Returns what is at `path`; `nil` if nothing is and no pointer says what should be.
  func state(of path: StagePath) async throws -> ContentState? {
    let place = TreePath(path)
    if !place.isRoot, let resolved = try search.resolve(place) {
      return try await trackedState(resolved)
    }
    switch try root.kindIfThere(place) {
    case nil: return nil
    case .directory?: return try await directoryState(place)
    case .regular?: return try fileState(place)
    case .symlink?, .other?:
      throw RepositoryError(.usage, "'\(path)' is no file and no directory, so a stage cannot depend on it.")
    }
  }

  // MARK: - Tracked by dv

  private func trackedState(_ resolved: PointerSearch.Resolution) async throws -> ContentState? {
    guard let file = try PointerFile.read(resolved.pointer, in: root) else { return nil }
    let look = try await repository.look(at: file.target)
    if resolved.inside.isRoot {
      if look.isKnown(as: file.pointer) { return ContentState(file.pointer) }
      guard let hashed = try await look.hashed(progress: progress) else { return ContentState(file.pointer) }
      guard let pointer = hashed.pointer else { throw unreadable(file.target) }
      try repository.statCaches.save(hashed.cache, of: file.target)
      return ContentState(pointer)
    }
    if look.found != nil {
      guard let hashed = try await look.hashed(progress: progress) else { return nil }
      return try hashed.item(at: resolved.inside).map { ContentState($0.mode, $0.oid, $0.totals.bytes) }
    }
    guard file.pointer.kind == .tree else { return nil }
    let entry = try await TreeBrowser(read: store.nodes).entry(at: resolved.inside, in: file.pointer.oid)
    return entry.map { ContentState($0.mode, $0.oid, $0.size) }
  }

  private func unreadable(_ path: TreePath) -> RepositoryError {
    RepositoryError(.usage, "'\(path)' could not be read whole.", remedy: "Run the command again.")
  }

  // MARK: - Others

  private func fileState(_ place: TreePath) throws -> ContentState {
    let path = root.appending(place)
    let reader = try FileReader(path, followingLink: true)
    let stat = try reader.stat()
    let mode: ContentState.Mode = stat.isExecutable ? .exec : .file
    let name = try GitPath(place.bytes)
    if index.entry(at: name) != nil, let content = try repository.git.cleanContent(of: name) {
      return ContentState(mode: mode, oid: ObjectID(hashing: content.span), size: UInt64(content.count))
    }
    var digest = Digest()
    var size: UInt64 = 0
    let buffer = AlignedBuffer(capacity: 1 << 20)
    while true {
      try reader.read(into: buffer)
      if buffer.count == 0 { break }
      buffer.withSpan { digest.update($0) }
      size += UInt64(buffer.count)
    }
    return ContentState(mode: mode, oid: digest.finish(), size: size)
  }

  private func directoryState(_ directory: TreePath) async throws -> ContentState {
    var entries: [(path: TreePath, state: ContentState)] = []
    // A directory that git ignores as a whole is wanted all the same: it was named.
    let asksGit = try directory.isRoot || !ignore.isIgnored(directory, isDirectory: true)
    var waiting = [directory]
    while let current = waiting.popLast() {
      let listing = try root.appending(current).listDirectory()
      for index in listing.indices {
        let name = listing.name(at: index)
        guard name != Array(".git".utf8), !(current.isRoot && name == Array(".dv".utf8)) else { continue }
        let path = current.appending(name)
        if PointerFile.isPointerName(path), listing.kind(at: index) != .directory {
          // What it stands for counts, also where it is not checked out.
          if let state = try await trackedState(PointerSearch.Resolution(pointer: path, inside: .root)) {
            entries.append((PointerFile.target(of: path), state))
          }
          continue
        }
        if listing.index(of: name + Array(Pointer.suffix.utf8)) != nil { continue }
        let kind = try root.kindIfThere(path)
        if asksGit, try ignore.isIgnored(path, isDirectory: kind == .directory) { continue }
        switch kind {
        case .directory?: waiting.append(path)
        case .regular?: entries.append((path, try fileState(path)))
        default: continue
        }
      }
    }
    entries.sort { $0.path < $1.path }
    let listed = entries.map { entry -> JSONValue in
      let name = entry.path.relative(to: directory) ?? entry.path
      return [.string(name.description), .string(entry.state.mode.rawValue), .string(entry.state.oid.hex)]
    }
    let size = entries.reduce(UInt64(0)) { $0 &+ $1.state.size }
    return ContentState(mode: .directory, oid: ObjectID(hashing: JSONValue.array(listed).canonical().span), size: size)
  }
}

extension ContentState {
  /// What a pointer stands for.
  init(_ pointer: Pointer) {
    self.init(
      mode: pointer.kind == .tree ? .tree : pointer.executable ? .exec : .file, oid: pointer.oid, size: pointer.size)
  }

  init(_ mode: EntryMode, _ oid: ObjectID, _ size: UInt64) {
    let kind: Mode =
      switch mode {
      case .file, .symlink: .file
      case .executable: .exec
      case .directory: .tree
      }
    self.init(mode: kind, oid: oid, size: size)
  }
}
