import DVFile
import DVObject
import DVWorkspace
import SystemPackage

/// Writes contents of the store to places outside the working tree. What it began and could not finish is the caller's to remove.
struct ContentDelivery {
  let reader: DataReader
  let progress: ProgressSink

  /// Writes a file that must not exist.
  ///
  /// - Parameter mode: permission bits, less the umask.
  func writeFile(_ oid: ObjectID, size: UInt64, mode: UInt32, at path: FilePath) async throws {
    var file = try FileWriter(creating: path, mode: mode)
    try await reader.readFile(
      oid, size: size,
      restart: {
        try path.removeFile()
        file = try FileWriter(creating: path, mode: mode)
      }, into: { try file.write($0) })
    try file.close()
    progress.advance(bytes: size, items: 1)
  }

  /// Writes a directory that must not exist, one entry after the other.
  ///
  /// - Parameter depth: how many directories lie between it and the top of what is written.
  func writeTree(_ oid: ObjectID, at path: FilePath, depth: Int = 0) async throws {
    guard depth <= TreeScan.maximumDepth else {
      throw RepositoryError(.corrupt, "'\(path.printable)' would be deeper than \(TreeScan.maximumDepth) directories.")
    }
    try path.createDirectories()
    var entries: [TreeEntry] = []
    try await TreeBrowser(read: reader.nodes).forEachEntry(of: oid) { _, entry in entries.append(entry) }
    for entry in entries {
      try Task.checkCancellation()
      let place = path.appending(name: entry.name.bytes)
      switch entry.mode {
      case .directory: try await writeTree(entry.oid, at: place, depth: depth + 1)
      case .symlink:
        var target: [UInt8] = []
        try await reader.readFile(entry.oid, size: entry.size, restart: { target = [] }) { target.append(span: $0) }
        try requireInside(target, depth: depth, at: place)
        try place.createSymlink(to: target)
      case .file, .executable:
        try await writeFile(entry.oid, size: entry.size, mode: entry.mode == .executable ? 0o777 : 0o666, at: place)
      }
    }
  }

  /// Checks that a link leads to a place within what is written, as dv demands of those that are added.
  private func requireInside(_ target: [UInt8], depth: Int, at place: FilePath) throws {
    var level = depth
    for name in target.split(separator: UInt8(ascii: "/")) where name != Array(".".utf8)[...] {
      level += name == Array("..".utf8)[...] ? -1 : 1
      if level < 0 { break }
    }
    guard target.first != UInt8(ascii: "/"), level >= 0 else {
      throw RepositoryError(
        .corrupt, "'\(place.printable)' would be a link to '\(FilePath(rawBytes: target).printable)', outside the dataset. Nothing was written.")
    }
  }
}
