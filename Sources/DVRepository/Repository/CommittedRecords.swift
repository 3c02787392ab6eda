import DVGit
import DVLineage
import DVObject

extension GitRepository {
  /// Returns the records that a commit carries; one that cannot be read names nothing.
  ///
  /// - Complexity: O(records of the commit), each of which is read.
  func records(in commit: GitObjectID) throws -> [(id: ObjectID, record: Record)] {
    var found: [(id: ObjectID, record: Record)] = []
    for file in try files(in: commit, under: try GitPath(".dv/records")) where file.kind == .file {
      guard let name = file.path.description.split(separator: "/").last, name.hasSuffix(".json"),
        let id = try? ObjectID(hex: name.dropLast(5)), let bytes = try? readBlob(file.id, limit: Record.maximumByteCount),
        let record = try? Record(decoding: bytes, named: id)
      else { continue }
      found.append((id, record))
    }
    return found
  }
}
