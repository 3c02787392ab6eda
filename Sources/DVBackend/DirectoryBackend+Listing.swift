import DVFile
import SystemPackage

extension DirectoryBackend {
  public func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] {
    // Below the last slash the prefix narrows down names; above it names the directory to start from.
    let start = prefix.lastIndex(of: "/").map { String(prefix[..<$0]) }
    if let start { _ = try BackendKey(start) }
    let entries = try await run("list '\(TerminalSafe.text(prefix))' in", nil) { () throws(FileError) -> [BackendEntry] in
      var entries: [BackendEntry] = []
      if let start {
        let directory: DirectoryHandle
        do throws(FileError) {
          directory = try self.directory.openDirectory(beneath: FilePath(start))
        } catch {
          // No directory, no keys. One that is there and cannot be read is an error.
          if error.code == .notFound { return [] }
          throw error
        }
        try Self.list(directory, path: start + "/", prefix: prefix, into: &entries)
      } else {
        try Self.list(self.directory, path: "", prefix: prefix, into: &entries)
      }
      return entries
    }
    return entries.sorted { $0.key < $1.key }
  }

  /// Adds all files below `directory`, whose keys begin with `path`.
  ///
  /// Names that cannot be part of a key are not ours (`lost+found`, `.nfs…`) and are passed over. A link, a pipe or a
  /// device under a name of ours is an error: to pass over a link in place of a directory would shorten the list.
  private static func list(
    _ directory: borrowing DirectoryHandle, path: String, prefix: String, into entries: inout [BackendEntry]
  ) throws(FileError) {
    let listing = try directory.list()
    for index in listing.indices {
      let name = listing.name(at: index)
      guard BackendKey.isValidPart(name) else { continue }
      let text = path + String(decoding: name, as: UTF8.self)
      guard text != "tmp", text.hasPrefix(prefix) || prefix.hasPrefix(text + "/") else { continue }
      // What is listed as a directory is opened as one, and needs no look before.
      let isDirectory = listing.kind(at: index) == .directory
      let stat = isDirectory ? nil : try directory.stat(in: listing, at: index)
      switch isDirectory ? .directory : stat?.kind {
      case nil: continue  // deleted meanwhile
      case .regular?:
        guard let stat, text.utf8.count <= BackendKey.maximumLength else { continue }
        entries.append(
          BackendEntry(
            key: BackendKey(unchecked: text), size: stat.size, modified: stat.modified.nanosecondsSince1970))
      case .directory?:
        let below: DirectoryHandle
        do throws(FileError) {
          below = try directory.openDirectory(in: listing, at: index)
        } catch {
          if error.code == .notFound { continue }
          throw error
        }
        try list(below, path: text + "/", prefix: prefix, into: &entries)
      case .symlink?, .other?:
        throw FileError(
          code: .corrupt, path: directory.path.appending(name: name),
          message:
            "'\(text)' is a symbolic link or a device, which dv never stores. Look into who put it there and remove it.")
      }
    }
  }
}
