import DVFile
public import DVGit
import DVObject
import DVStore
import DVWorkspace

/// Which data is meant by a push, fetch or pull.
public enum ShareScope: Hashable, Sendable {
  /// What the pointers of the working tree name.
  case workingTree
  /// What the pointers of one commit name.
  case revision(String)
  /// What the pointers of all commits of all references name.
  case all
  /// What pointers name that commits have, in themselves or in those they follow, and that others do not have.
  case commits([GitObjectID], without: [GitObjectID])
}

/// One content that is to be shared.
struct SharedItem {
  let data: TrackedData
  /// The part of it that is wanted; the root for all.
  let inside: TreePath
  let root: TransferRoot
}

/// What paths and a scope mean.
struct ShareRequest {
  private(set) var items: [SharedItem] = []
  /// Pointers that cannot be read; each breaks only itself.
  private(set) var unreadable: [UnreadablePointer] = []
  private var met: Set<Wanted> = []

  /// A content, whatever it is called.
  private struct Wanted: Hashable {
    let isTree: Bool
    let oid: ObjectID
    // A pointer that has another size is wrong, and said to be.
    let size: UInt64
    let inside: TreePath
  }

  /// Finds the data.
  ///
  /// - Parameter paths: relative to the working tree's root, also parts of tracked directories; nothing for all.
  init(_ paths: [TreePath], _ scope: ShareScope, in repository: Repository) throws {
    switch scope {
    case .workingTree:
      try add(try repository.select(paths))
    case .revision(let revision):
      try add(paths, at: try repository.git.resolve(revision: revision), named: revision, in: repository)
    case .all:
      try addHistory(paths, of: repository)
    case .commits(let starts, let hidden):
      try addHistory(of: starts, without: hidden, in: repository)
    }
  }

  /// Finds the data of all of the working tree's pointers, which were read before.
  init(_ selection: Selection) throws { try add(selection) }

  /// Adds the data of the working tree's pointers.
  mutating func addWorkingTree(_ paths: [TreePath], of repository: Repository) throws {
    try add(try repository.select(paths))
  }

  private mutating func add(_ selection: Selection) throws {
    unreadable += selection.unreadable
    met.reserveCapacity(met.count + selection.items.count)
    items.reserveCapacity(items.count + selection.items.count)
    for item in selection.items { try add(item.data, inside: item.inside) }
  }

  private mutating func add(_ data: TrackedData, inside: TreePath, label: String? = nil) throws {
    if data.pointer.kind == .file, !inside.isRoot {
      throw RepositoryError(.usage, "'\(data.target)' is tracked as a file, so there is nothing inside it.")
    }
    // The same content is wanted once, whatever it is called.
    let wanted = Wanted(isTree: data.pointer.kind == .tree, oid: data.pointer.oid, size: data.pointer.size, inside: inside)
    guard met.insert(wanted).inserted else { return }
    let root = try data.root(inside: inside)
    items.append(
      SharedItem(
        data: data, inside: inside,
        root: label.map {
          TransferRoot(kind: root.kind, oid: root.oid, size: root.size, label: $0, inside: root.inside)
        } ?? root))
  }

  // MARK: History

  private mutating func add(
    _ paths: [TreePath], at commit: GitObjectID, named revision: String, in repository: Repository
  ) throws {
    let walk = PointerWalk(repository.git)
    for path in paths.isEmpty ? [.root] : paths {
      if !path.isRoot, let found = try repository.resolve(path, in: commit) {
        try add(found.data, inside: found.inside)
        continue
      }
      let pointers = try walk.pointers(in: commit, under: try GitPath(path.bytes))
      if pointers.isEmpty, !path.isRoot {
        throw RepositoryError(.usage, "'\(path)' is not tracked by dv at '\(revision)'.")
      }
      for pointer in pointers {
        if let data = try read(pointer, in: repository) { try add(data, inside: .root) }
      }
    }
  }

  private mutating func addHistory(_ paths: [TreePath], of repository: Repository) throws {
    let walk = PointerWalk(repository.git)
    var starts = try repository.git.references().filter { $0.name != "refs/stash" }.compactMap(\.commit)
    if let head = try repository.git.head().commit { starts.append(head) }
    var found = paths.isEmpty
    try repository.git.forEachCommit(from: starts) { commit in
      for pointer in try walk.newPointers(in: commit) {
        guard let path = TreePath(pointer.path.bytes) else { continue }
        let target = PointerFile.target(of: path)
        let parts = Self.parts(of: target, pointer: path, in: paths)
        guard !parts.isEmpty, let data = try read(pointer, in: repository, keepsUnreadable: false) else { continue }
        found = true
        for inside in parts { try add(data, inside: inside, label: "\(target) (at \(commit.shortHex))") }
      }
    }
    guard found else {
      throw RepositoryError(
        .usage, "No commit tracks \(paths.map { "'\($0)'" }.joined(separator: ", ")) with dv.")
    }
  }

  private mutating func addHistory(
    of starts: [GitObjectID], without hidden: [GitObjectID], in repository: Repository
  ) throws {
    let walk = PointerWalk(repository.git)
    // What is asked for is what is new.
    for commit in hidden { _ = try walk.newPointers(in: commit) }
    try repository.git.forEachCommit(from: starts, hiding: hidden) { commit in
      for pointer in try walk.newPointers(in: commit) {
        guard let data = try read(pointer, in: repository, keepsUnreadable: false) else { continue }
        try add(data, inside: .root, label: "\(data.target) (at \(commit.shortHex))")
      }
    }
  }

  /// Which parts of a target the paths ask for.
  private static func parts(of target: TreePath, pointer: TreePath, in paths: [TreePath]) -> [TreePath] {
    if paths.isEmpty || paths.contains(where: { target.relative(to: $0) != nil || $0 == pointer }) { return [.root] }
    return paths.compactMap { $0.relative(to: target) }
  }

  /// Reads one pointer of history. What somebody committed that is no pointer is noted, unless it is one of many versions.
  private mutating func read(
    _ pointer: GitPointer, in repository: Repository, keepsUnreadable: Bool = true
  ) throws -> TrackedData? {
    guard let path = TreePath(pointer.path.bytes) else { return nil }
    // One byte more than a pointer may have, so that reading it says what is wrong.
    let bytes = try git(repository, pointer)
    do throws(ObjectFormatError) {
      return TrackedData(
        target: PointerFile.target(of: path), pointer: try Pointer(parsing: bytes.span, named: path.description))
    } catch {
      if keepsUnreadable {
        unreadable.append(
          UnreadablePointer(
            target: PointerFile.target(of: path), isConflicted: error.code == .conflicted, message: error.message))
      }
      return nil
    }
  }

  private func git(_ repository: Repository, _ pointer: GitPointer) throws(GitError) -> [UInt8] {
    let limit = Pointer.maximumByteCount
    if pointer.size > UInt64(limit) { return [UInt8](repeating: 0, count: limit + 1) }
    return try repository.git.readBlob(pointer.blob, limit: limit)
  }
}
