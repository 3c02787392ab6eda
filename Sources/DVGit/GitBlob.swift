import CGit2

extension GitRepository {
  /// Returns the content of a blob.
  ///
  /// - Parameter limit: the most bytes to read; a larger blob is refused before it is read.
  /// - Throws: ``GitError/Code/notFound``; ``GitError/Code/invalid`` if it is larger or no blob.
  public func readBlob(_ id: GitObjectID, limit: Int) throws(GitError) -> [UInt8] {
    let size = try blobSize(id)
    guard size <= UInt64(limit) else {
      throw GitError(.invalid, "Cannot read blob \(id.shortHex): it has \(size) bytes, more than \(limit).")
    }
    var oid = id.oid
    let object = unsafe try make("read blob \(id.shortHex)") { unsafe git_odb_read(&$0, odb, &oid) }
    defer { unsafe git_odb_object_free(object) }
    let count = unsafe git_odb_object_size(object)
    guard count > 0, let data = unsafe git_odb_object_data(object) else { return [] }
    return unsafe Array(UnsafeRawBufferPointer(start: data, count: count))
  }

  /// Returns how many bytes a blob has, without reading it.
  ///
  /// - Throws: ``GitError/Code/notFound``; ``GitError/Code/invalid`` if it is no blob.
  public func blobSize(_ id: GitObjectID) throws(GitError) -> UInt64 {
    var oid = id.oid
    var size = 0
    var type = GIT_OBJECT_INVALID
    guard try find("read blob \(id.shortHex)", { unsafe git_odb_read_header(&size, &type, odb, &oid) }) else {
      throw GitError(
        .notFound,
        "Git object \(id.hex) is not in this clone. If it is a partial clone, run 'git fetch --refetch --no-filter'.")
    }
    guard type == GIT_OBJECT_BLOB else { throw GitError(.invalid, "Git object \(id.shortHex) is no blob.") }
    return UInt64(size)
  }
}
