import DVFile
import DVGit
import DVObject
public import DVWorkspace
import SystemPackage

/// Moves tracked data under another name: the operation behind `dv mv`.
///
/// A target moves with its pointer, its line in `.gitignore` and its stat cache:
///
///     1  pointer and .gitignore line at the new place
///     2  rename the data, never over anything
///     3  stat cache; .gitignore line of the old place
///     4  git's index: the new pointer instead of the old
///     5  remove the old pointer
///
/// The old pointer goes last, so that whoever was killed runs it again and it goes on. A path inside a tracked
/// directory is renamed on disk, then taken into the version as `dv add` would; killed in between, either command
/// completes it.
public struct MoveData: Sendable {
  public struct Report: Hashable, Sendable {
    public let source: TreePath
    public let destination: TreePath
    /// Pointers that now say something else, or are new.
    public let pointers: [TreePath]
    /// Whether there was data on disk that moved.
    public let movedData: Bool
  }

  private let source: TreePath
  private let destination: TreePath

  /// - Parameters:
  ///   - source: Relative to the working tree's root: a target, its pointer, or a path inside a tracked directory.
  ///   - destination: Likewise; if it is a directory, the source goes into it under its own name.
  public init(_ source: TreePath, to destination: TreePath) {
    self.source = source
    self.destination = destination
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/conflict`` if something is at the destination, or what is to move was modified
  ///   and not added; nothing is changed then.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    let root = try repository.requireWorkDirectory()
    let search = try repository.pointerSearch()
    guard let found = try search.resolve(source) else {
      throw RepositoryError(
        .usage, "'\(source)' is not tracked by dv.",
        remedy: "Move it with 'git mv' or 'mv'; 'dv ls' lists what is tracked.")
    }
    guard let file = try PointerFile.read(found.pointer, in: root) else {
      throw RepositoryError(.usage, "There is no '\(found.pointer)'.")
    }
    let data = TrackedData(target: file.target, pointer: file.pointer)
    if found.inside.isRoot { return try TargetMove(data, in: repository, root: root).run(to: destination) }
    return try await PartMove(data, found.inside, in: repository, root: root).run(to: destination, progress: progress)
  }

  static func exists(_ path: TreePath) -> RepositoryError {
    RepositoryError(.conflict, "'\(path)' exists already.", remedy: "Choose another name, or remove it first.")
  }
}

/// The move of a whole target.
private struct TargetMove {
  let data: TrackedData
  let repository: Repository
  let root: FilePath

  init(_ data: TrackedData, in repository: Repository, root: FilePath) {
    self.data = data
    self.repository = repository
    self.root = root
  }

  func run(to given: TreePath) throws -> MoveData.Report {
    let place = root.appending(given)
    var destination = given
    let isTarget = try root.appending(PointerFile.path(for: given)).fileStat() != nil
    if try given.isRoot || (!isTarget && place.fileStat()?.kind == .directory && !isResumed(to: given)) {
      destination = given.appending(data.target.lastName)
    }
    try require(destination)
    let resumes = try isResumed(to: destination)
    let pointer = PointerFile(path: PointerFile.path(for: destination), pointer: data.pointer)
    let (from, to) = (root.appending(data.target), root.appending(destination))
    let isOnDisk = try from.fileStat() != nil
    let caches = repository.statCaches
    let cache = try caches.load(data.target)
    if !resumes {
      if try to.fileStat() != nil { throw MoveData.exists(destination) }
      do throws(FileError) { try root.appending(pointer.path).createContent(data.pointer.encoded().span) } catch {
        guard error.code == .exists else { throw error }
        throw MoveData.exists(pointer.path)
      }
    }
    let lock = try repository.lockWorkingTree()
    defer { withExtendedLifetime(lock) {} }
    var changed = [try GitIgnoreFile.add(destination, in: root)].compactMap(\.self)
    if isOnDisk {
      do { try from.renameNoReplace(to: to) } catch {
        // As if nothing had been done: the data is where it was.
        _ = try? GitIgnoreFile.remove(destination, in: root)
        try? root.appending(pointer.path).removeFile()
        throw error
      }
    }
    if let cache { try caches.save(cache, of: destination) }
    try caches.remove(data.target)
    changed += [try GitIgnoreFile.remove(data.target, in: root)].compactMap(\.self)
    // A run that was killed may have changed these without staging them.
    changed += [GitIgnoreFile.path(for: destination), GitIgnoreFile.path(for: data.target)]
    try repository.stage([pointer.path] + changed, removing: [data.pointerPath], root: root)
    try root.appending(data.pointerPath).removeFile()
    return MoveData.Report(
      source: data.target, destination: destination, pointers: [pointer.path], movedData: isOnDisk || resumes)
  }

  private func require(_ destination: TreePath) throws {
    guard destination != data.target else {
      throw RepositoryError(.usage, "'\(destination)' is where it is already.")
    }
    guard destination.relative(to: data.target) == nil else {
      throw RepositoryError(.usage, "'\(data.target)' cannot move into itself.")
    }
    try AddRequest.requirePlace(destination, in: root)
    let name = destination.lastName
    guard !PointerFile.isPointerName(destination), name.count + Pointer.suffix.utf8.count <= 255,
      GitIgnoreFile.line(for: name) != nil
    else {
      throw RepositoryError(
        .usage, "'\(destination)' cannot name tracked data: at most 252 bytes, no line feed, not ending in '.dv'.")
    }
    guard try root.appending(destination.parent).fileStat()?.kind == .directory else {
      throw RepositoryError(
        .usage, "There is no directory '\(destination.parent)'.",
        remedy: "Make it with 'mkdir -p \(destination.parent)'.")
    }
    if !destination.parent.isRoot, let other = try repository.pointerSearch().resolve(destination.parent) {
      throw RepositoryError(
        .usage, "'\(destination)' lies inside '\(PointerFile.target(of: other.pointer))', which is tracked as a whole.",
        remedy: "Move the data there with 'mv', add it with 'dv add', then 'dv rm --cached \(data.target)'.")
    }
    guard try repository.git.index().entries(under: try GitPath(destination.bytes)).isEmpty else {
      throw RepositoryError(.conflict, "Git tracks '\(destination)' already.", remedy: "Choose another name.")
    }
  }

  /// Whether a move to there was begun and killed: the pointer is there, the data at most at one of the places, and git
  /// does not know both pointers.
  private func isResumed(to destination: TreePath) throws -> Bool {
    let path = PointerFile.path(for: destination)
    guard let there = try? PointerFile.read(path, in: root), there.pointer == data.pointer else { return false }
    if try root.appending(destination).fileStat() != nil, try root.appending(data.target).fileStat() != nil {
      return false
    }
    let index = try repository.git.index()
    let (new, old) = (try GitPath(path.bytes), try GitPath(data.pointerPath.bytes))
    return index.entry(at: new) == nil || index.entry(at: old) == nil
  }
}

/// The move of a path inside a tracked directory.
private struct PartMove {
  let data: TrackedData
  let inside: TreePath
  let repository: Repository
  let root: FilePath

  init(_ data: TrackedData, _ inside: TreePath, in repository: Repository, root: FilePath) {
    self.data = data
    self.inside = inside
    self.repository = repository
    self.root = root
  }

  private var source: TreePath { data.target.appending(inside) }

  func run(to given: TreePath, progress: ProgressSink) async throws -> MoveData.Report {
    guard data.pointer.kind == .tree else {
      throw RepositoryError(.usage, "'\(data.target)' is tracked as a file, so there is nothing inside it.")
    }
    let browser = TreeBrowser(read: try repository.dataReader().nodes)
    guard let entry = try await browser.entry(at: inside, in: data.pointer.oid) else {
      throw RepositoryError(
        .usage, "The version of '\(data.target)' has no '\(inside)'.",
        remedy: "Rename it with 'mv', then run 'dv add \(data.target)'.")
    }
    let (other, place) = try await destination(given, browser)
    let path = other.target.appending(place)
    guard path.relative(to: source) == nil else {
      throw RepositoryError(.usage, "'\(source)' cannot move \(path == source ? "onto" : "into") itself.")
    }
    if try await browser.entry(at: place, in: other.pointer.oid) != nil { throw MoveData.exists(path) }
    let pointers = other.target == data.target ? [data.pointerPath] : [other.pointerPath, data.pointerPath]
    func report(movedData: Bool) -> MoveData.Report {
      MoveData.Report(source: source, destination: path, pointers: pointers, movedData: movedData)
    }

    let (from, to) = (root.appending(source), root.appending(path))
    let isOnDisk = try from.fileStat() != nil
    let isAtPlace = try to.fileStat() != nil
    if isOnDisk, isAtPlace { throw MoveData.exists(path) }
    if isOnDisk || isAtPlace {
      // At the new place and not at the old, it may be that a run was killed after the renaming.
      let there = isOnDisk ? (data.target, inside) : (other.target, place)
      let disk = try await repository.look(at: there.0).hashed(progress: progress)
      let item = try disk?.item(at: there.1)
      guard item == TreeEditor.Item(entry) else {
        if !isOnDisk { throw MoveData.exists(path) }
        throw RepositoryError(
          .conflict, "'\(source)' was modified since it was added.", remedy: "Run 'dv add \(source)' first.")
      }
      if isOnDisk {
        guard try to.containingDirectory.fileStat()?.kind == .directory else {
          throw RepositoryError(.usage, "There is no directory '\(path.parent)'.")
        }
        try from.renameNoReplace(to: to)
      }
      _ = try await AddData([path, source]).run(in: repository, progress: progress)
      return report(movedData: true)
    }
    var edit = try await PointerEdit(in: repository)
    try await edit.replace(place, of: other, with: TreeEditor.Item(entry))
    try await edit.replace(inside, of: data, with: nil)
    try await edit.finish()
    return report(movedData: false)
  }

  /// Returns where the path goes: into a directory that is named, else under the name itself.
  private func destination(
    _ given: TreePath, _ browser: TreeBrowser
  ) async throws -> (data: TrackedData, inside: TreePath) {
    guard let found = try repository.pointerSearch().resolve(given),
      let file = try PointerFile.read(found.pointer, in: root), file.pointer.kind == .tree
    else {
      throw RepositoryError(
        .usage, "'\(given)' lies in no tracked directory, and '\(source)' does.",
        remedy: "Move it out with 'mv', then run 'dv add' for both.")
    }
    let data = TrackedData(target: file.target, pointer: file.pointer)
    let isDirectory: Bool
    if found.inside.isRoot {
      isDirectory = true
    } else if let entry = try await browser.entry(at: found.inside, in: data.pointer.oid) {
      isDirectory = entry.mode == .directory
    } else {
      isDirectory = try root.appending(given).fileStat()?.kind == .directory
    }
    return (data, isDirectory ? found.inside.appending(inside.lastName) : found.inside)
  }
}

extension Repository {
  /// Stages files as they are now, those that are gone as removed.
  func stage(_ paths: [TreePath], removing removed: [TreePath], root: FilePath) throws {
    var added: [GitPath] = []
    var gone = try removed.map { try GitPath($0.bytes) }
    for path in Set(paths).sorted() {
      if try root.appending(path).fileStat() != nil {
        added.append(try GitPath(path.bytes))
      } else {
        gone.append(try GitPath(path.bytes))
      }
    }
    try git.stage(adding: added, removing: gone)
  }
}
