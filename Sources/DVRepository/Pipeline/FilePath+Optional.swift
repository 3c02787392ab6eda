import DVFile
import DVWorkspace
import SystemPackage

extension FilePath {
  /// Reads a file below this directory; `nil` if there is none.
  ///
  /// - Throws: ``FileError``; code `input` if it has more than `limit` bytes.
  func contentIfThere(_ path: TreePath, limit: Int) throws(FileError) -> [UInt8]? {
    do throws(FileError) {
      return try appending(path).readAll(limit: limit)
    } catch {
      if error.code == .notFound || error.code == .notDirectory { return nil }
      throw error
    }
  }

  /// The kind of what is at a place below this directory; `nil` if nothing is.
  func kindIfThere(_ path: TreePath) throws(FileError) -> FileKind? {
    do throws(FileError) {
      return try appending(path).fileStatFollowingLinks()?.kind
    } catch {
      if error.code == .notDirectory || error.code == .notFound { return nil }
      throw error
    }
  }
}
