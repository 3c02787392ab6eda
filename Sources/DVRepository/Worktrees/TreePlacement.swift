import DVFile
import DVObject
import DVPipeline
import DVWorkspace
import SystemPackage

/// Writes files that are named by content into an empty working tree.
struct TreePlacement {
  let root: FilePath
  let reader: DataReader

  /// Writes a directory with all that is in it.
  ///
  /// - Returns: what was written, without directories.
  @discardableResult
  func place(tree: ObjectID, at path: TreePath = .root) async throws -> [TreePath: TreeEntry] {
    var entries: [TreePath: TreeEntry] = [:]
    var order: [TreePath] = []
    try await TreeBrowser(read: reader.nodes).forEachEntry(of: tree, at: path, entering: { _, _ in true }) { inner, entry in
      entries[inner] = entry
      order.append(inner)
    }
    try root.appending(path).createDirectories()
    for inner in order {
      guard let entry = entries[inner] else { continue }
      switch entry.mode {
      case .directory:
        try root.appending(inner).createDirectories()
        entries[inner] = nil
      case .symlink:
        let target = try await bytes(entry.oid, entry.size)
        try root.appending(inner).createSymlink(to: target)
      case .file, .executable:
        try await place(entry.oid, size: entry.size, isExecutable: entry.mode == .executable, at: inner)
      }
    }
    return entries
  }

  /// Writes a file, in place of one that is there.
  func place(_ oid: ObjectID, size: UInt64, isExecutable: Bool, at path: TreePath) async throws {
    let file = root.appending(path)
    try file.containingDirectory.createDirectories()
    try file.removeTree()
    try await Self.write(oid, size: size, to: file, from: reader)
    if isExecutable { try file.setExecutable(true) }
  }

  /// Writes the content of a file, which is proved when this returns.
  static func write(_ oid: ObjectID, size: UInt64, to file: FilePath, from reader: DataReader) async throws {
    let output = Output(file)
    try await reader.readFile(oid, size: size, restart: { try output.restart() }) { try output.write($0) }
    try output.close()
  }

  private func bytes(_ oid: ObjectID, _ size: UInt64) async throws -> [UInt8] {
    guard size <= 1 << 16 else { throw RepositoryError(.corrupt, "A link would lead to a name of \(size) bytes.") }
    var bytes: [UInt8] = []
    try await reader.readFile(oid, size: size, restart: { bytes = [] }) { bytes.append(span: $0) }
    return bytes
  }

  /// A file that is written, and may have to be begun again.
  private final class Output {
    private let file: FilePath
    private var writer: FileWriter?

    init(_ file: FilePath) { self.file = file }

    func restart() throws {
      writer = nil
      try file.removeFile()
    }

    func write(_ bytes: Span<UInt8>) throws {
      if writer == nil { writer = try FileWriter(creating: file) }
      try writer?.write(bytes)
    }

    func close() throws {
      // Of no bytes nothing is passed on.
      if writer == nil { writer = try FileWriter(creating: file) }
      let done = writer.take()
      if let done { try done.close() }
    }
  }
}
