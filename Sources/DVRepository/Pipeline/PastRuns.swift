import DVLineage
import DVObject
import DVPipeline

/// The recorded runs that succeeded, by key and by stage.
struct PastRuns {
  private var byKey: [ObjectID: [PastRun]] = [:]
  private var byStage: [String: [PastRun]] = [:]
  private let book: RecordBook

  init(_ book: RecordBook) async throws {
    self.book = book
    for (id, run) in try await book.runs().runs { add(id, run) }
  }

  mutating func add(_ id: ObjectID, _ run: RunRecord) {
    guard let past = run.pastRun(id) else { return }
    byKey[past.key, default: []].append(past)
    if let stage = run.stage { byStage[stage, default: []].append(past) }
  }

  /// The runs that decide about a stage: those with its key, else the last ones of the stage itself.
  func runs(of stage: Stage, key: ObjectID, namedBy pointers: Set<ObjectID>) throws -> [PastRun] {
    let runs = byKey[key] ?? byStage[stage.address].map { Array($0.suffix(50)) } ?? []
    return try runs.map { run in
      var run = run
      run.isNamedByPointers = pointers.contains(run.record)
      // Only a choice among several asks git.
      run.isInHistory = runs.count > 1 ? try book.isInHead(run.record) : false
      return run
    }
  }
}
