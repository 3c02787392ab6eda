import DVFile
import DVObject
import DVSQLite
import DVWorkspace
import SystemPackage

/// Which files the targets of an erasure mean: files by themselves, or all that lie in directories or match patterns.
struct ErasureTargets {
  /// A directory or pattern that was named, and the files that it means.
  struct Directory {
    /// As it was written.
    let name: String
    var files: [ObjectID] = []
  }

  /// The files that one erasure takes at most: each gets a record in git.
  static let fileLimit = 10_000

  /// Files that were named by themselves.
  private(set) var files: [ObjectID] = []
  private(set) var directories: [Directory] = []
  private var known: Set<ObjectID> = []
  private let repository: Repository
  private let index: LineageIndex
  private let resolver: LineageTarget

  init(of repository: Repository, _ index: LineageIndex, from directory: FilePath) {
    self.repository = repository
    self.index = index
    resolver = LineageTarget(trace: LineageTrace(index, of: repository), repository: repository, directory: directory)
  }

  /// All files, each once.
  var all: [ObjectID] { files + directories.flatMap(\.files) }

  mutating func add(_ oids: some Sequence<ObjectID>) { for oid in oids where known.insert(oid).inserted { files.append(oid) } }

  /// Adds what a target means.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if it means no data, no file, or too many.
  mutating func add(_ target: [UInt8]) async throws {
    let text = TerminalSafe.text(String(decoding: target, as: UTF8.self))
    let keys: [LineageKey]
    do {
      keys = try await resolver.keys(target, hashingFiles: true)
    } catch let error as RepositoryError where error.code == .usage {
      guard let found = try await matching(target) else { throw error }
      guard !found.isEmpty else {
        throw RepositoryError(.usage, "No tracked file matches '\(text)'.", remedy: "'*' stands for what is within one name, '**' for directories too.")
      }
      return try add(found, as: text)
    }
    var inside: [ObjectID] = []
    var isDirectory = false
    for key in keys {
      guard case .data(_, let oid) = key else {
        throw RepositoryError(.usage, "'\(text)' is no data.", remedy: "Name files or directories by path or oid.")
      }
      if try isTree(oid) {
        isDirectory = true
        inside += try await entries(of: oid, text)
      } else {
        inside.append(oid)
      }
    }
    if isDirectory || inside.count > 1 { try add(inside, as: text) } else { add(inside) }
  }

  private mutating func add(_ oids: [ObjectID], as name: String) throws {
    let new = Set(oids).subtracting(known).sorted()
    guard all.count + new.count <= Self.fileLimit else {
      throw RepositoryError(
        .usage, "'\(name)' means \(new.count) files; one erasure takes at most \(Self.fileLimit), as each gets a record in git.",
        remedy: "Erase parts of it, such as '\(name)/a*'.")
    }
    known.formUnion(new)
    directories.append(Directory(name: name, files: new))
  }

  private func isTree(_ oid: ObjectID) throws -> Bool {
    try index.database.first(
      "SELECT 1 FROM versions WHERE oid = ? AND kind = 'tree' UNION SELECT 1 FROM uses WHERE oid = ? AND mode IN ('tree', 'directory') UNION SELECT 1 FROM trees WHERE id = ?",
      .blob(oid.bytes), .blob(oid.bytes), .blob(oid.bytes)) { _ in true } != nil
  }

  /// The contents of all files below a directory; an empty file has none that could be erased.
  private func entries(of root: ObjectID, _ name: String, matching isWanted: (TreePath) -> Bool = { _ in true }, at path: TreePath = .root) async throws -> [ObjectID] {
    var found: [ObjectID] = []
    let nodes = try repository.dataReader().nodes
    do throws(WorkspaceError) {
      try await TreeBrowser(read: nodes).forEachEntry(of: root, at: path, entering: { _, _ in true }) { path, entry in
        if entry.mode != .directory, entry.size > 0, isWanted(path) { found.append(entry.oid) }
      }
    } catch {
      guard error.code == .missing else { throw error }
      throw RepositoryError(
        .missing, "What is in '\(name)' is not known here: part of its listing is missing.", remedy: "'dv fetch' it first, or name the files by their oids.",
        cause: error)
    }
    return found
  }

  /// The contents of tracked files that match a target with wildcards; `nil` for one without.
  private func matching(_ target: [UInt8]) async throws -> [ObjectID]? {
    guard let location = try? repository.location(target, from: resolver.directory), let pattern = PathPattern(location.path) else { return nil }
    let text = TerminalSafe.text(String(decoding: target, as: UTF8.self))
    var found: [ObjectID] = []
    let place = Location(revision: location.revision, path: pattern.directory)
    for item in try repository.data(at: place).items {
      let data = item.data
      if data.pointer.kind == .file {
        if pattern.matches(data.target), data.pointer.size > 0 { found.append(data.pointer.oid) }
      } else {
        // A directory that matches is meant with all in it.
        found += try await entries(of: data.pointer.oid, text, matching: { pattern.matchesOrHolds($0) }, at: data.target)
      }
    }
    return found
  }
}

extension PathPattern {
  /// Whether a path matches, or lies below one that does.
  fileprivate func matchesOrHolds(_ path: TreePath) -> Bool {
    var next = path
    while !next.isRoot {
      if matches(next) { return true }
      next = next.parent
    }
    return false
  }
}
