import DVFile
import DVLineage
import DVObject

/// A record of which there is no summary yet.
struct UnreadRecord: Sendable {
  let id: ObjectID
  let directory: RecordDirectory

  enum Found: Sendable {
    /// Somebody removed it meanwhile.
    case gone
    /// It cannot be read, in words.
    case problem(String)
    /// A run, or a record of another kind.
    case known(ObjectID, RunSummary?)
    /// A run of which a part that is wanted is not beside the record.
    case long(Record)
  }

  func read() -> Found {
    do throws(RecordError) {
      guard let record = try directory.read(id) else { return .gone }
      if record.type != RunRecord.type { return .known(id, nil) }
      if let summary = try RunSummary(record) { return .known(id, summary) }
      guard let details = try directory.readDetails(of: id) else { return .long(record) }
      return .known(id, RunSummary(id, try RunRecord(record, details: details)))
    } catch {
      return .problem(error.message)
    }
  }
}

extension [UnreadRecord] {
  /// Reads all, on all cores.
  func read() async throws -> [UnreadRecord.Found] {
    let width = Machine.coreCount
    // Handing over a piece costs about as much as reading one record.
    let size = Swift.max(64, (count + 4 * width - 1) / (4 * width))
    let pieces = stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    return try await pieces.mapConcurrently(width: width) { piece in piece.map { $0.read() } }.flatMap { $0 }
  }
}
