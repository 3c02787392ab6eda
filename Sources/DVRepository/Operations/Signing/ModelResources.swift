import DVFile
import DVLineage
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// The files of a model with their digests, as they are stored or as they lie on a disk.
enum ModelResources {
  /// The most files that are listed: a statement of more would not be read back.
  private static let limit = 2_000_000

  /// A file of a version, as its tree's nodes have it.
  struct Stored {
    let resource: ModelStatement.Resource
    /// In bytes.
    let size: UInt64
  }

  /// Lists what a version consists of, from its tree's nodes.
  static func stored(_ record: ModelRecord, _ reader: DataReader) async throws -> [Stored] {
    guard record.isTree else {
      return [Stored(resource: ModelStatement.Resource(name: ".", digest: record.oid), size: record.size)]
    }
    var resources: [Stored] = []
    var problem: TreePath?
    try await TreeBrowser(read: reader.nodes).forEachEntry(of: record.oid, entering: { _, _ in true }) { path, entry in
      switch entry.mode {
      case .directory: break
      case .symlink: problem = path
      case .file, .executable:
        guard resources.count < limit else { throw RepositoryError(.usage, "The model has more than \(limit) files.") }
        resources.append(
          Stored(resource: ModelStatement.Resource(name: try name(of: path.bytes), digest: entry.oid), size: entry.size))
      }
    }
    if let problem { throw linked(problem.description) }
    return resources
  }

  /// Lists what lies at `path`, hashing every byte.
  ///
  /// - Parameter excluded: a file that is no part of the model: the signature itself.
  static func onDisk(_ path: FilePath, except excluded: FilePath) throws -> [ModelStatement.Resource] {
    guard let stat = try path.fileStat() else { throw RepositoryError(.usage, "There is no '\(path.printable)'.") }
    if stat.kind == .regular { return [ModelStatement.Resource(name: ".", digest: try hash(path))] }
    guard stat.kind == .directory else { throw RepositoryError(.usage, "'\(path.printable)' is neither a file nor a directory.") }
    var resources: [ModelStatement.Resource] = []
    let own = try excluded.fileStat()?.identity
    try visit(path, prefix: []) { name, file in
      if let own, try file.fileStat()?.identity == own { return }
      resources.append(ModelStatement.Resource(name: try Self.name(of: name), digest: try hash(file)))
    }
    return resources
  }

  private static func visit(_ directory: FilePath, prefix: [UInt8], depth: Int = 0, _ body: ([UInt8], FilePath) throws -> Void) throws {
    guard depth <= TreeScan.maximumDepth else {
      throw RepositoryError(.usage, "'\(directory.printable)' is deeper than \(TreeScan.maximumDepth) directories.")
    }
    let listing = try directory.listDirectory()
    for index in listing.indices {
      let name = Array(listing.name(at: index))
      // What model-signing leaves out at the top of a model.
      if depth == 0, [".git", ".gitattributes", ".github", ".gitignore"].contains(where: { Array($0.utf8) == name }) { continue }
      let place = directory.appending(name: name)
      let path = prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
      switch try place.fileStat()?.kind {
      case .directory?: try visit(place, prefix: path, depth: depth + 1, body)
      case .regular?: try body(path, place)
      case .symlink?: throw linked(place.printable)
      default: throw RepositoryError(.usage, "'\(place.printable)' is neither a file nor a directory.")
      }
    }
  }

  private static func name(of path: [UInt8]) throws -> String {
    guard let text = String(validating: path, as: UTF8.self) else {
      throw RepositoryError(.usage, "'\(FilePath(rawBytes: path).printable)' is no UTF-8, and a statement is JSON.", remedy: "Rename the file.")
    }
    return text
  }

  private static func linked(_ path: String) -> RepositoryError {
    RepositoryError(.usage, "'\(path)' is a symbolic link, and a model that is signed may have none.", remedy: "Put the file itself there.")
  }

  private static func hash(_ path: FilePath) throws -> ObjectID {
    let reader = try FileReader(path)
    let buffer = AlignedBuffer(capacity: 1 << 20)
    var digest = Digest()
    while true {
      try Task.checkCancellation()
      try reader.read(into: buffer, once: true)
      if buffer.count == 0 { return digest.finish() }
      buffer.withSpan { digest.update($0) }
    }
  }
}
