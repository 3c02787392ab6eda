import DVLineage
import DVObject
import DVPipeline

/// The recorded runs that succeeded, by key and by stage. What is found of them is read when it is asked for.
struct PastRuns {
  /// Names of records, the newest last.
  private var byKey: [ObjectID: [ObjectID]] = [:]
  private var byStage: [String: [ObjectID]] = [:]
  /// Those that did not succeed, by key, the newest of each.
  private var failed: [ObjectID: ObjectID] = [:]
  private var known: [ObjectID: PastRun?] = [:]
  private let book: RecordBook

  /// How many of a stage's last runs are looked at for what differs.
  private static let lastCount = 10

  init(_ book: RecordBook) async throws {
    self.book = book
    for summary in try await book.summaries().runs {
      guard let key = summary.key else { continue }
      guard summary.status == .complete || summary.status == .asserted else {
        failed[key] = summary.id
        continue
      }
      failed[key] = nil
      byKey[key, default: []].append(summary.id)
      if let stage = summary.stage { byStage[stage, default: []].append(summary.id) }
    }
  }

  /// The last run with a key, if it is known that it did not succeed.
  func failedRun(key: ObjectID) -> ObjectID? { failed[key] }

  mutating func add(_ id: ObjectID, _ run: RunRecord) {
    guard let past = run.pastRun(id) else { return }
    known[id] = past
    byKey[past.key, default: []].append(id)
    if let stage = run.stage { byStage[stage, default: []].append(id) }
  }

  /// The runs that decide about a stage: those with its key, else the last ones of the stage itself.
  mutating func runs(of stage: Stage, key: ObjectID, namedBy pointers: Set<ObjectID>) async throws -> [PastRun] {
    var ids = byKey[key] ?? []
    if ids.isEmpty, let all = byStage[stage.address] {
      let last = all.suffix(Self.lastCount)
      ids = all.dropLast(last.count).filter(pointers.contains) + last
    }
    var runs: [PastRun] = []
    for id in ids {
      guard var run = try await pastRun(id) else { continue }
      run.isNamedByPointers = pointers.contains(id)
      // Only a choice among several asks git.
      run.isInHistory = ids.count > 1 ? try book.isInHead(id) : false
      runs.append(run)
    }
    return runs
  }

  private mutating func pastRun(_ id: ObjectID) async throws -> PastRun? {
    if let run = known[id] { return run }
    let run = try await book.run(id)?.pastRun(id)
    known[id] = .some(run)
    return run
  }
}
