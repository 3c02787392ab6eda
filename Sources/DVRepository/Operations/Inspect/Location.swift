import DVFile
import DVGit
import DVObject
public import DVWorkspace
public import SystemPackage

/// What `[REV:]PATH` on a command line means: data of one revision, or of the working tree's pointers.
public struct Location: Hashable, Sendable {
  /// The revision as it was written; `nil` for the pointers in the working tree.
  public let revision: String?
  /// Relative to the working tree's root.
  public let path: TreePath

  public init(revision: String?, path: TreePath) {
    self.revision = revision
    self.path = path
  }

  /// The location as a person would write it from the top of the working tree.
  public var text: String {
    (revision.map { "\($0):" } ?? "") + (path.isRoot && revision != nil ? "" : path.description)
  }
}

extension Repository {
  /// Reads `[REV:]PATH`.
  ///
  /// What stands before the first colon is a revision if it names a commit; otherwise all of it is a path. `./a:b` is
  /// always a path. The path is relative to `directory`; an empty one after a colon is the whole repository.
  public func location(_ argument: [UInt8], from directory: FilePath) throws -> Location {
    if let colon = argument.firstIndex(of: UInt8(ascii: ":")), colon > 0,
      let revision = String(validating: argument[..<colon], as: UTF8.self)
    {
      let rest = Array(argument[(colon + 1)...])
      if (try? git.resolve(revision: revision)) != nil {
        return Location(revision: revision, path: rest.isEmpty ? .root : try path(rest, from: directory))
      }
      // Of two explanations the better one: that there is no such revision, or that nothing is tracked there.
      if try !isTracked(path(argument, from: directory)) { _ = try git.resolve(revision: revision) }
    }
    return Location(revision: nil, path: try path(argument, from: directory))
  }

  /// A path of the user's; without a working tree, one from the top of the repository.
  private func path(_ argument: [UInt8], from directory: FilePath) throws -> TreePath {
    if workDirectory != nil { return try treePath(FilePath(rawBytes: argument), from: directory) }
    guard let path = TreePath(argument) else {
      throw RepositoryError(.usage, "'\(FilePath(rawBytes: argument).printable)' is no path in the repository.")
    }
    return path
  }

  private func isTracked(_ path: TreePath) throws -> Bool {
    guard workDirectory != nil else { return false }
    return try pointerSearch().resolve(path) != nil
  }

  /// Finds the data at a location: of one target the part that is meant, or all targets below a directory.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if nothing is tracked there.
  public func data(at location: Location) throws -> Selection {
    guard let revision = location.revision else { return try select([location.path]) }
    let commit = try git.resolve(revision: revision)
    if let (data, inside) = try resolve(location.path, in: commit) {
      return Selection(items: [Selection.Item(data: data, inside: inside)])
    }
    let found = try data(in: commit, under: location.path, walk: PointerWalk(git))
    guard !found.isEmpty || location.path.isRoot else {
      throw RepositoryError(
        .usage, "'\(location.path)' is not tracked by dv at '\(revision)'.",
        remedy: "'dv ls \(revision):' lists what is.")
    }
    return Selection(
      items: found.map { Selection.Item(data: $0, inside: .root) }.sorted { $0.data.target < $1.data.target })
  }
}
