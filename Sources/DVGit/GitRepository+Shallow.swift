import SystemPackage

extension GitRepository {
  /// Whether the history of this clone was cut off, as by `git clone --depth`.
  public var isShallow: Bool { get throws(GitError) { try !shallowBoundary().isEmpty } }

  /// Returns the commits whose parents this clone does not have, from the file `shallow` of the common directory.
  ///
  /// Read here because libgit2 1.5 looks for the file in the wrong place for worktrees and walks past the boundary.
  func shallowBoundary() throws(GitError) -> Set<GitObjectID> {
    let path = commonDirectory.appending("shallow")
    guard let text = try readSmallFile(path) else { return [] }
    var boundary: Set<GitObjectID> = []
    for line in text.split(separator: "\n") { boundary.insert(try GitObjectID(hex: line)) }
    return boundary
  }
}

/// Returns the text of a file that git keeps, or `nil` if there is none.
func readSmallFile(_ path: FilePath) throws(GitError) -> String? {
  do {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = try unsafe buffer.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += buffer[..<count]
      }
    }
  } catch Errno.noSuchFileOrDirectory, Errno.notDirectory {
    return nil
  } catch {
    throw GitError(.other, "Cannot read '\(path)': \(error).")
  }
}
