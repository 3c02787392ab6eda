import DVLineage
import DVObject
import DVPipeline
import DVSQLite
import DVWorkspace

/// Where data of this repository was imported from, as records tell.
struct KnownSources {
  /// A record that is about some data.
  struct Found {
    let id: ObjectID
    let source: SourceRecord
    /// Whether the data is still what was imported.
    let isUnchanged: Bool
  }

  private let index: LineageIndex

  /// Brings the index of the lineage up to date.
  init(of repository: Repository) async throws {
    index = try LineageIndex(of: repository)
    try await index.update(from: repository)
  }

  /// Returns the newest source of what a pointer names: one of that path and content, else one of the content, which was moved
  /// since, else one of the path, whose content was changed since.
  func find(_ data: TrackedData) throws -> Found? {
    let path = String(decoding: data.target.bytes, as: UTF8.self)
    var best: (rank: Int, id: ObjectID, source: SourceRecord)?
    for id in try records(path: path, oid: data.pointer.oid) {
      guard let record = try index.record(id), let source = try? SourceRecord(record) else { continue }
      let isContent = source.data.content.isSame(as: ContentState(data.pointer))
      let isPath = source.data.path.text == path
      let rank = isContent && isPath ? 0 : isContent ? 1 : 2
      if best == nil || rank < (best?.rank ?? 0) { best = (rank, id, source) }
    }
    return best.map { Found(id: $0.id, source: $0.source, isUnchanged: $0.rank < 2) }
  }

  /// The records of sources that name the path or the content, the newest first.
  private func records(path: String, oid: ObjectID) throws -> [ObjectID] {
    try index.database.all(
      """
      SELECT DISTINCT r.id, r.time, r.n FROM uses u JOIN records r ON r.n = u.record
      WHERE u.role = 2 AND r.type = 'source' AND (u.oid = ? OR u.path = ?) ORDER BY r.time DESC, r.n DESC
      """, .blob(oid.bytes), .text(path)
    ) { try ObjectID(bytes: $0.blob(0).span) }
  }
}
