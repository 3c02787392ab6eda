import DVFile
import DVGit
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// Where files of a version are read from: the disk, or a commit and, for what dv tracks, the stores.
struct RevisionFiles {
  let repository: Repository
  /// `nil` for what is on disk.
  let commit: GitObjectID?

  init(_ repository: Repository, revision: String?) throws {
    self.repository = repository
    commit = try revision.map { try repository.git.resolve(revision: $0) }
  }

  /// Reads the pipelines of the version.
  ///
  /// - Parameter directory: the current directory, whose `dv.yaml` counts though git does not know it.
  func pipelines(from directory: TreePath) throws -> [PipelineFile] {
    guard commit != nil else { return try repository.pipeline(from: directory).files }
    return try pipelinePaths(from: directory).compactMap { path in
      guard let bytes = try committed(path, limit: Repository.pipelineByteLimit) else { return nil }
      return try repository.pipelineFile(bytes, at: path) { try committed($0, limit: ValueFile.maximumByteCount) }
    }
  }

  /// The places of `dv.yaml` files: those that git tracks now, the top, and the current directory.
  private func pipelinePaths(from directory: TreePath) throws -> [TreePath] {
    let name = Array(PipelineFile.name.utf8)
    var paths = [TreePath.root.appending(name), directory.appending(name)]
    if repository.workDirectory != nil {
      for entry in try repository.git.index().entries(under: .root) {
        if let path = TreePath(entry.path.bytes), path.lastName == name { paths.append(path) }
      }
    }
    var seen: Set<TreePath> = []
    return paths.filter { seen.insert($0).inserted }
  }

  /// Reads a file that the commit holds itself.
  private func committed(_ path: TreePath, limit: Int) throws -> [UInt8]? {
    guard let commit else { return nil }
    return try repository.git.readBlob(at: try GitPath(path.bytes), in: commit, limit: limit)
  }

  /// Reads a file; `nil` if there is none.
  ///
  /// - Throws: ``PipelineError/Code/limit`` if it has more than `limit` bytes; ``StoreError`` with code `missing` if it is
  ///   neither here nor on the remote.
  func content(of path: TreePath, limit: Int = ValueFile.maximumByteCount) async throws -> [UInt8]? {
    guard let commit else {
      let root = try repository.requireWorkDirectory()
      guard try root.kindIfThere(path) == .regular else { return nil }
      if let stat = try root.appending(path).fileStatFollowingLinks(), stat.size > UInt64(limit) {
        throw Self.tooLarge(path, stat.size, limit)
      }
      return try root.contentIfThere(path, limit: limit)
    }
    if let entry = try repository.git.entry(at: try GitPath(path.bytes), in: commit), entry.kind == .file || entry.kind == .executable {
      let size = try repository.git.blobSize(entry.id)
      guard size <= UInt64(limit) else { throw Self.tooLarge(path, size, limit) }
      return try repository.git.readBlob(entry.id, limit: limit)
    }
    guard let (oid, size, isDirectory) = try await tracked(path, commit), !isDirectory else { return nil }
    guard size <= UInt64(limit) else { throw Self.tooLarge(path, size, limit) }
    var bytes: [UInt8] = []
    try await repository.dataReader().readFile(oid, size: size, restart: { bytes.removeAll() }) { piece in
      for index in 0..<piece.count { bytes.append(piece[index]) }
    }
    return bytes
  }

  private static func tooLarge(_ path: TreePath, _ size: UInt64, _ limit: Int) -> PipelineError {
    PipelineError(.limit, "'\(path)' has \(size) bytes; at most \(limit) are read.")
  }

  /// What dv tracks at a path of a commit.
  private func tracked(
    _ path: TreePath, _ commit: GitObjectID
  ) async throws -> (oid: ObjectID, size: UInt64, isDirectory: Bool)? {
    guard !path.isRoot, let (data, inside) = try repository.resolve(path, in: commit) else { return nil }
    guard !inside.isRoot else { return (data.pointer.oid, data.pointer.size, data.pointer.kind == .tree) }
    guard data.pointer.kind == .tree else { return nil }
    let browser = TreeBrowser(read: try repository.dataReader().nodes)
    guard let entry = try await browser.entry(at: inside, in: data.pointer.oid) else { return nil }
    return (entry.oid, entry.size, entry.mode == .directory)
  }

  /// Returns the files below a path in order, itself if it is one; at most `limit` of them.
  func files(at path: TreePath, limit: Int) async throws -> [TreePath] {
    var found: [TreePath] = []
    guard let commit else {
      let root = try repository.requireWorkDirectory()
      var waiting = [path]
      while let place = waiting.popLast(), found.count < limit {
        switch try root.kindIfThere(place) {
        case .regular?: if !PointerFile.isPointerName(place) { found.append(place) }
        case .directory?:
          let listing = try root.appending(place).listDirectory()
          let names = listing.indices.map { listing.name(at: $0) }.filter { $0 != Array(".git".utf8) }
          // The last is taken first.
          waiting += names.map { place.appending($0) }.sorted().reversed()
        default: continue
        }
      }
      return found
    }
    if let (oid, _, isDirectory) = try await tracked(path, commit) {
      guard isDirectory else { return [path] }
      try await TreeBrowser(read: try repository.dataReader().nodes)
        .forEachEntry(of: oid, at: path, entering: { _, _ in found.count < limit }) { path, entry in
          if entry.mode != .directory, entry.mode != .symlink, found.count < limit { found.append(path) }
        }
      return found
    }
    guard let entry = try repository.git.entry(at: try GitPath(path.bytes), in: commit) else { return [] }
    switch entry.kind {
    case .file, .executable: return [path]
    case .directory:
      for entry in try repository.git.files(in: commit, under: try GitPath(path.bytes)) where found.count < limit {
        guard entry.kind == .file || entry.kind == .executable, let file = TreePath(entry.path.bytes) else { continue }
        if PointerFile.isPointerName(file) {
          found += try await files(at: PointerFile.target(of: file), limit: max(0, limit - found.count))
        } else {
          found.append(file)
        }
      }
      return Array(found.prefix(limit))
    case .symlink, .submodule: return []
    }
  }
}
