import DVFile
import DVGit
public import DVObject
import DVStore
public import DVWorkspace
public import SystemPackage

/// Copies data of another repository here, without tracking it: the operation behind `dv get`.
///
/// All of it is written beside its place first and takes its name when every file was proved.
public struct GetData: Sendable {
  private let path: TreePath
  private let destination: FilePath
  private let replaces: Bool

  /// What was copied.
  public struct Report: Sendable {
    /// Where it is now.
    public let path: FilePath
    /// The pointer's, if it is one target or a part of one; `nil` for a directory with several, or a file of git's.
    public let oid: ObjectID?
    public let isDirectory: Bool
    public fileprivate(set) var files: UInt64
    /// In bytes.
    public fileprivate(set) var size: UInt64
    /// The commit it is of, 40 hex digits.
    public let commit: String?
  }

  /// The most bytes of a file that git tracks rather than dv.
  static let gitFileLimit = 256 << 20

  /// - Parameters:
  ///   - path: in the other repository: tracked data, a part of it, a directory with such, or a file of git's.
  ///   - destination: where to put it, absolute.
  ///   - replaces: whether what is there is removed.
  public init(_ path: TreePath, to destination: FilePath, replacing replaces: Bool = false) {
    self.path = path
    self.destination = destination
    self.replaces = replaces
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/conflict`` if something is there, `usage` if the other repository has no such path,
  ///   `missing` if the content is not to be had.
  public func run(from source: SourceRepository.Opened) async throws -> Report {
    if try destination.fileStat() != nil, !replaces {
      throw RepositoryError(
        .conflict, "'\(destination.printable)' exists.", remedy: "Name another place with -o, or replace it with --force.")
    }
    guard try destination.containingDirectory.fileStatFollowingLinks()?.kind == .directory else {
      throw RepositoryError(.usage, "There is no directory '\(destination.containingDirectory.printable)'.", remedy: "Make it first.")
    }
    let folder = try TemporaryDirectory(in: destination.containingDirectory)
    guard let name = TreePath("data") else { preconditionFailure("a plain word is a path") }
    let report = try await place(source, in: folder.path, as: name)
    if replaces { try destination.removeTree() }
    let made = folder.path.appending(name)
    do throws(FileError) { try made.renameNoReplace(to: destination) } catch {
      guard error.code == .exists else { throw error }
      throw RepositoryError(.conflict, "'\(destination.printable)' was made meanwhile.", remedy: "Name another place with -o.")
    }
    try destination.containingDirectory.synchronizeDirectory()
    return report
  }

  private func place(_ source: SourceRepository.Opened, in folder: FilePath, as name: TreePath) async throws -> Report {
    let repository = source.repository
    let location = Location(revision: source.revision, path: path)
    let selection: Selection
    do { selection = try repository.data(at: location) } catch let error as RepositoryError {
      guard error.code == .usage, let report = try placeFile(of: source, at: folder.appending(name)) else { throw error }
      return report
    }
    if let unreadable = selection.unreadable.first { throw RepositoryError(.conflict, unreadable.message) }
    guard !selection.items.isEmpty else {
      throw RepositoryError(.usage, "'\(path)' has no tracked data there.", remedy: "'dv ls' in that repository lists what is tracked.")
    }
    let reader = try repository.dataReader()
    let placement = TreePlacement(root: folder, reader: reader)
    var (files, size): (UInt64, UInt64) = (0, 0)
    var only: (oid: ObjectID, isDirectory: Bool)?
    for item in selection.items {
      try await explainingAbsence(of: item, at: location, in: repository) {
        let pointer = item.data.pointer
        let inside = item.data.target.relative(to: path) ?? .root
        let target = inside.isRoot ? name : name.appending(inside)
        if item.inside.isRoot {
          switch pointer.kind {
          case .tree: try await placement.place(tree: pointer.oid, at: target)
          case .file:
            try await placement.place(
              pointer.oid, size: pointer.size, isExecutable: pointer.executable, at: target)
          }
          files += pointer.files ?? 1
          size += pointer.size
          if inside.isRoot { only = (pointer.oid, pointer.kind == .tree) }
          return
        }
        let entry = try await item.entry(TreeBrowser(read: reader.nodes), at: location)
        switch entry.mode {
        case .directory: try await placement.place(tree: entry.oid, at: target)
        case .file, .executable:
          try await placement.place(entry.oid, size: entry.size, isExecutable: entry.mode == .executable, at: target)
        case .symlink:
          throw RepositoryError(.usage, "'\(path)' is a symbolic link.", remedy: "Get what it leads to, or the directory it is in.")
        }
        files += entry.files
        size += entry.size
        only = (entry.oid, entry.mode == .directory)
      }
    }
    return Report(
      path: destination, oid: only?.oid, isDirectory: only?.isDirectory ?? true, files: files, size: size, commit: source.commit)
  }

  /// Copies a file that git tracks; `nil` if the commit has none at the path.
  private func placeFile(of source: SourceRepository.Opened, at file: FilePath) throws -> Report? {
    guard let commit = source.commit, !path.isRoot else { return nil }
    let git = source.repository.git
    guard
      let bytes = try? git.readBlob(
        at: try GitPath(path.bytes), in: try git.resolve(revision: commit), limit: Self.gitFileLimit)
    else { return nil }
    try file.createContent(bytes.span)
    return Report(
      path: destination, oid: ObjectID(hashing: bytes.span), isDirectory: false, files: 1, size: UInt64(bytes.count),
      commit: commit)
  }
}
