import DVFile
import DVGit
import DVObject
import DVWorkspace
import SystemPackage

/// What the paths of an add mean, checked before anything is read.
struct AddRequest {
  /// One path.
  struct Item {
    /// As it was named, relative to the working tree's root.
    let path: TreePath
    let target: TreePath
    /// Which part of the target; the root for all of it.
    let inside: TreePath
    /// What the target's pointer says now, if there is one that can be read.
    let previous: Pointer?
    /// Whether the pointer is in its place and git has it staged as it is.
    let isStaged: Bool
  }

  private(set) var items: [Item] = []
  private var met: Set<TreePath> = []
  private let root: FilePath
  private let search: PointerSearch
  private let git: GitRepository
  /// Of the time when the request was made, to be updated when it is carried out.
  let index: GitIndex

  init(_ paths: [TreePath], in repository: Repository) throws {
    root = try repository.requireWorkDirectory()
    search = try repository.pointerSearch()
    git = repository.git
    index = try repository.git.indexToUpdate()
    let named = Set(paths)
    for path in paths {
      // `dv add *` names pointers too, beside what they stand for.
      if PointerFile.isPointerName(path), named.contains(PointerFile.target(of: path)) { continue }
      try add(path, named: named)
    }
  }

  private mutating func add(_ path: TreePath, named: Set<TreePath>) throws {
    guard met.insert(path).inserted else { return }
    try Self.requirePlace(path, in: root)
    let resolved = try search.resolve(path)
    let target = resolved.map { PointerFile.target(of: $0.pointer) } ?? path
    let inside = resolved?.inside ?? .root
    // What lies in a directory that is added as a whole is added with it.
    guard !path.above.contains(where: { named.contains($0) && isWhole($0) }) else { return }
    if inside.isRoot { try requireTarget(target, isTracked: resolved != nil) }
    try requireUntrackedByGit(path)
    let previous = try pointer(of: target)
    if !inside.isRoot, previous?.kind == .file {
      throw RepositoryError(.usage, "'\(target)' is tracked as a file, so nothing can be added inside it.")
    }
    items.append(
      Item(
        path: path, target: target, inside: inside, previous: previous,
        isStaged: try previous.map { try isStaged($0, of: target) } ?? false))
  }

  /// Whether a path that was named stands for all that is below it.
  private func isWhole(_ path: TreePath) -> Bool {
    !path.isRoot && ((try? root.appending(path).fileStat())?.kind == .directory)
  }

  private func pointer(of target: TreePath) throws -> Pointer? {
    do throws(WorkspaceError) {
      return try PointerFile.read(PointerFile.path(for: target), in: root)?.pointer
    } catch {
      // Adding what is on disk is how a conflict is resolved. Any other file of that name is not dv's to replace.
      if error.code == .conflicted { return nil }
      throw error
    }
  }

  private func isStaged(_ pointer: Pointer, of target: TreePath) throws -> Bool {
    let path = PointerFile.path(for: target)
    guard let entry = index.entry(at: try GitPath(path.bytes)), !entry.isIntentToAdd,
      let staged = try? git.readBlob(entry.id, limit: Pointer.maximumByteCount)
    else { return false }
    return staged == pointer.encoded()
  }

  // MARK: - Refusals

  /// Refuses places where no data can be tracked.
  static func requirePlace(_ path: TreePath, in root: FilePath) throws {
    if path.isRoot {
      throw RepositoryError(
        .usage, "The whole working tree cannot be tracked as data.", remedy: "Name the files or directories that are data.")
    }
    let names = path.names
    if names.contains(where: { String(decoding: $0, as: UTF8.self).lowercased() == ".git" }) {
      throw RepositoryError(.usage, "'\(path)' lies in git's own directory.")
    }
    if names.first == Array(".dv".utf8) {
      throw RepositoryError(.usage, "'\(path)' lies in dv's own directory.")
    }
    var above = TreePath.root
    for name in names.dropLast() {
      above = above.appending(name)
      let place = root.appending(above)
      switch try place.fileStat()?.kind {
      case .symlink:
        throw RepositoryError(
          .usage, "'\(path)' lies beyond the symbolic link '\(above)'.", remedy: "Name it by the path the link leads to.")
      case .directory:
        if try place.appending(".git").fileStat() != nil {
          throw RepositoryError(
            .usage, "'\(path)' lies in another git repository, '\(above)'.",
            remedy: "Run 'dv add' in there: 'dv -C \(above) add …'.")
        }
      default: break
      }
    }
  }

  /// Refuses what cannot be a target.
  private func requireTarget(_ target: TreePath, isTracked: Bool) throws {
    let place = root.appending(target)
    let stat = try place.fileStat()
    if PointerFile.isPointerName(target) {
      throw RepositoryError(
        .usage, "'\(target)' has the name of a pointer, which git versions.",
        remedy: "Name the data it stands for: '\(PointerFile.target(of: target))'.")
    }
    guard let stat else {
      throw RepositoryError(
        .usage, isTracked ? "'\(target)' is tracked but not on disk." : "There is no '\(target)'.",
        remedy: isTracked
          ? "'dv checkout \(target)' brings it back, 'dv rm \(target)' stops tracking it." : nil)
    }
    switch stat.kind {
    case .symlink:
      throw RepositoryError(
        .usage, "'\(target)' is a symbolic link, which git versions itself.",
        remedy: "Track it with 'git add', or name the place it leads to.")
    case .other:
      throw RepositoryError(.usage, "'\(target)' is a socket, a pipe or a device and cannot be tracked.")
    case .directory:
      if try place.appending(".git").fileStat() != nil {
        throw RepositoryError(
          .usage, "'\(target)' is a git repository of its own.", remedy: "Track what is in it there: 'dv -C \(target) add …'.")
      }
    case .regular: break
    }
    let name = target.lastName
    if name.count + Pointer.suffix.utf8.count > 255 {
      throw RepositoryError(
        .usage, "The name of '\(target)' is too long for a pointer beside it: at most 252 bytes.", remedy: "Rename it.")
    }
    if GitIgnoreFile.line(for: name) == nil {
      throw RepositoryError(
        .usage, "'\(target)' has a line feed in its name, which no .gitignore can hold.", remedy: "Rename it.")
    }
  }

  /// Refuses what git versions: it would be in both.
  private func requireUntrackedByGit(_ path: TreePath) throws {
    let tracked = index.entries(under: try GitPath(path.bytes))
    guard let first = tracked.first else { return }
    let pointers = tracked.map(\.path).filter(\.isPointerName)
    if !pointers.isEmpty {
      let shown = pointers.prefix(10).map { "'\($0)'" }.joined(separator: ", ")
      let more = pointers.count > 10 ? " and \(pointers.count - 10) more" : ""
      throw RepositoryError(
        .usage, "'\(path)' cannot be tracked as a whole: data in it is tracked by itself, by \(shown)\(more).",
        remedy: "Stop tracking that first ('dv rm'), or move it out.")
    }
    let what = tracked.count == 1 ? "'\(first.path)'" : "\(tracked.count) files in '\(path)', such as '\(first.path)',"
    throw RepositoryError(
      .usage, "Git tracks \(what) already.",
      remedy: "Hand it over first with 'git rm -r --cached \(path)', which leaves the files on disk.")
  }
}

extension TreePath {
  /// The directories that it lies in, the nearest first, the root last.
  fileprivate var above: [TreePath] {
    var (above, path): ([TreePath], TreePath) = ([], self)
    while !path.isRoot {
      path = path.parent
      above.append(path)
    }
    return above
  }
}
