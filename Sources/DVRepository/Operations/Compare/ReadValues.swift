import DVFile
import DVGit
public import DVObject
public import DVPipeline
import DVStore
public import DVWorkspace
import SystemPackage

/// Reads the values in files of metrics or parameters, of the working tree or of a revision.
public struct ReadValues: Sendable {
  public enum Kind: Hashable, Sendable {
    case metrics
    case parameters
  }

  /// The values of one file.
  public struct File: Sendable {
    public let path: StagePath
    public let values: JSONValue
  }

  /// What was read.
  public struct Report: Sendable {
    public internal(set) var files: [File] = []
    /// What could not be read, in words: one bad file does not hide the others.
    public internal(set) var problems: [String] = []
  }

  private let kind: Kind
  private let revision: String?
  private let directory: TreePath

  /// - Parameters:
  ///   - revision: in git's syntax; `nil` for what is on disk.
  ///   - directory: the current directory, whose `dv.yaml` counts though git does not know it.
  public init(_ kind: Kind, at revision: String? = nil, directory: TreePath = .root) {
    self.kind = kind
    self.revision = revision
    self.directory = directory
  }

  /// Carries it out. Files of which a revision has neither content nor pointer are left out.
  public func run(in repository: Repository) async throws -> Report {
    let source = try Source(repository, revision: revision)
    var report = Report()
    for path in try paths(repository, source) {
      do {
        guard let bytes = try await source.content(of: TreePath(path)) else { continue }
        report.files.append(File(path: path, values: try ValueFile.read(bytes, named: path.text)))
      } catch let error as PipelineError {
        report.problems.append(error.message)
      } catch let error as StoreError where error.code == .missing {
        report.problems.append("'\(path)' is not in the local store; 'dv pull --rev \(revision ?? "HEAD")' fetches it.")
      }
    }
    return report
  }

  /// The files that the pipelines of the revision name, each once, in order.
  private func paths(_ repository: Repository, _ source: Source) throws -> [StagePath] {
    let files: [PipelineFile]
    if source.commit == nil {
      files = try repository.pipeline(from: directory).files
    } else {
      files = try source.pipelinePaths(from: directory).compactMap { path in
        guard let bytes = try source.committed(path, limit: Repository.pipelineByteLimit) else { return nil }
        return try repository.pipelineFile(bytes, at: path) { try source.committed($0, limit: ValueFile.maximumByteCount) }
      }
    }
    var found: [StagePath] = []
    switch kind {
    case .metrics:
      found = files.flatMap { file in file.metrics + file.stages.flatMap(\.outputs).filter { $0.role == .metric }.map(\.path) }
    case .parameters:
      // The file that templates read counts though no stage names it.
      let defaults = try files.map { try StagePath(ParameterSelection.defaultFile, in: $0.path.parent) }
      let fallback = files.isEmpty ? [try StagePath(ParameterSelection.defaultFile)] : []
      found = defaults + fallback + files.flatMap { file in file.parameters + file.stages.flatMap(\.parameters).map(\.file) }
    }
    var seen: Set<StagePath> = []
    return found.filter { seen.insert($0).inserted }
  }
}

/// Where files are read from: the disk, or a commit and, for what dv tracks, the stores.
private struct Source {
  let repository: Repository
  let commit: GitObjectID?

  init(_ repository: Repository, revision: String?) throws {
    self.repository = repository
    commit = try revision.map { try repository.git.resolve(revision: $0) }
  }

  /// The places of `dv.yaml` files: those that git tracks now, the top, and the current directory.
  func pipelinePaths(from directory: TreePath) throws -> [TreePath] {
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
  func committed(_ path: TreePath, limit: Int) throws -> [UInt8]? {
    guard let commit else { return nil }
    return try repository.git.readBlob(at: try GitPath(path.bytes), in: commit, limit: limit)
  }

  /// Reads a file; `nil` if there is none.
  func content(of path: TreePath) async throws -> [UInt8]? {
    let limit = ValueFile.maximumByteCount
    guard let commit else {
      let root = try repository.requireWorkDirectory()
      guard try root.kindIfThere(path) == .regular else { return nil }
      return try root.contentIfThere(path, limit: limit)
    }
    if let bytes = try committed(path, limit: limit) { return bytes }
    guard let (data, inside) = try repository.resolve(path, in: commit) else { return nil }
    let reader = try repository.dataReader()
    var (oid, size) = (data.pointer.oid, data.pointer.size)
    if !inside.isRoot {
      guard let entry = try await TreeBrowser(read: reader.nodes).entry(at: inside, in: oid) else { return nil }
      (oid, size) = (entry.oid, entry.size)
    }
    guard size <= UInt64(limit) else {
      throw PipelineError(.limit, "'\(path)' has \(size) bytes; at most \(limit) are read.")
    }
    var bytes: [UInt8] = []
    try await reader.readFile(oid, size: size, restart: { bytes.removeAll() }) { piece in
      for index in 0..<piece.count { bytes.append(piece[index]) }
    }
    return bytes
  }
}
