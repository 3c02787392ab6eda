import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// Stages being brought up to date: which must run is decided in `ReproduceWork+Deciding.swift`.
struct ReproduceWork {
  let graph: StageGraph
  let positions: [Int]
  let request: ReproduceStages.Request
  let session: RunSession
  var past: PastRuns
  let shared: SharedRuns
  private(set) var report = ReproduceReport()

  /// What is known of each stage so far.
  enum Fate {
    case decided(StageDecision)
    case running(StageDecision)
    case ran(StageDecision, FinishedRun)
    case failed(StageDecision, FinishedRun)
    case skipped
  }

  var fates: [Int: Fate] = [:]
  /// By the addresses of stages that need not run.
  var differences: [String: [EnvironmentDifference]] = [:]
  /// In a dry run, what outputs will be once they are restored.
  var expected: [StagePath: ContentState] = [:]

  init(
    graph: StageGraph, positions: [Int], request: ReproduceStages.Request, session: RunSession, past: PastRuns,
    shared: SharedRuns
  ) {
    self.graph = graph
    self.positions = positions
    self.request = request
    self.session = session
    self.past = past
    self.shared = shared
  }

  mutating func set(_ position: Int, _ fate: Fate) {
    fates[position] = fate
    switch fate {
    case .decided(let decision), .running(let decision):
      let stage = graph.stages[position].address
      session.output.note(.decided(stage: stage, decision, differences[stage] ?? []))
    default: break
    }
  }

  // MARK: - Carrying out

  /// Decides about stages and runs what must run, as many at once as asked for.
  mutating func carryOut() async throws {
    var waiting = positions
    var started: [Int: StartedRunBox] = [:]
    try await withThrowingTaskGroup(of: (Int, RunJob.Result).self) { group in
      while true {
        var index = 0
        while index < waiting.count, started.count < max(1, request.width), !mustStop {
          let position = waiting[index]
          if let failed = failedNeed(of: position) {
            waiting.remove(at: index)
            fates[position] = .skipped
            session.output.note(
              .skipped(stage: graph.stages[position].address, because: graph.stages[failed].address))
            continue
          }
          guard isReady(position) else {
            index += 1
            continue
          }
          waiting.remove(at: index)
          // Earlier ones may be ready now.
          index = 0
          if let box = try await begin(position) {
            started[position] = box
            let (job, output) = (box.job, session.output)
            group.addTask { (position, await job.run(output)) }
          }
        }
        guard let (position, result) = try await group.next() else { break }
        guard let box = started.removeValue(forKey: position), let run = box.take() else { continue }
        try await end(position, run, result)
      }
    }
    makeReport()
  }

  private var mustStop: Bool {
    if report.wasInterrupted || Task.isCancelled { return true }
    guard !request.keepsGoing else { return false }
    return fates.values.contains { if case .failed = $0 { true } else { false } }
  }

  private func isReady(_ position: Int) -> Bool {
    graph.upstream[position].allSatisfy { need in
      guard positions.contains(need) else { return true }
      switch fates[need] {
      case .decided?, .ran?: return true
      default: return false
      }
    }
  }

  /// A stage that this one needs and that will not be done.
  private func failedNeed(of position: Int) -> Int? {
    graph.upstream[position].first { need in
      switch fates[need] {
      case .failed?, .skipped?: true
      default: false
      }
    }
  }

  /// Decides about a stage and does what needs no command.
  ///
  /// - Returns: the run that was made ready, if its command must run.
  private mutating func begin(_ position: Int) async throws -> StartedRunBox? {
    let stage = graph.stages[position]
    let (decision, key, runs) = try await decide(stage)
    switch decision {
    case .restore(let record, _):
      if let run = runs.first(where: { $0.record == record }), try await fetchIfForeign(run, for: stage),
        try await session.restore(run, as: stage)
      {
        set(position, .decided(decision))
        session.output.note(.restored(stage: stage.address, record: record))
        return nil
      }
      // What was thought to be there is not: then it is made.
      return try await start(position, .run(because: .neverRun), key)
    case .run: return try await start(position, decision, key)
    case .upToDate(let record):
      try session.adopt(record, runs, by: stage)
      set(position, .decided(decision))
      return nil
    case .frozen, .wait:
      set(position, .decided(decision))
      return nil
    }
  }

  /// Brings what a run of the remote's made, and says whose run it is.
  private func fetchIfForeign(_ run: PastRun, for stage: Stage) async throws -> Bool {
    guard let foreign = shared.foreign(run.record) else { return true }
    guard try await shared.fetch(run) else { return false }
    session.output.note(.foreign(stage: stage.address, record: run.record, author: foreign.user))
    return true
  }

  private mutating func start(_ position: Int, _ decision: StageDecision, _ key: StageKey?) async throws -> StartedRunBox? {
    guard let key else { return nil }
    differences[graph.stages[position].address] = nil
    set(position, .running(decision))
    try await session.bringIn(graph.stages[position], fetching: request.pulls)
    return StartedRunBox(try await session.start(graph.stages[position], isNamed: true, key: key))
  }

  private mutating func end(_ position: Int, _ run: consuming StartedRun, _ result: RunJob.Result) async throws {
    let decision: StageDecision
    if case .running(let made)? = fates[position] { decision = made } else { decision = .run(because: .neverRun) }
    let finished = try await session.finish(run, result)
    past.add(finished.record, finished.run)
    session.output.note(.finished(finished))
    if finished.run.status == .interrupted { report.wasInterrupted = true }
    fates[position] = finished.isComplete ? .ran(decision, finished) : .failed(decision, finished)
  }

  mutating func makeReport() {
    for position in positions {
      let name = graph.stages[position].address
      switch fates[position] {
      case .decided(let decision)?:
        let record: ObjectID? =
          switch decision {
          case .upToDate(let record), .restore(let record, _): record
          default: nil
          }
        report.items.append(ReproduceReport.Item(stage: name, decision: decision, status: nil, record: record, differences: differences[name] ?? []))
      case .ran(let decision, let run)?, .failed(let decision, let run)?:
        report.items.append(
          ReproduceReport.Item(stage: name, decision: decision, status: run.run.status, record: run.record, differences: []))
      default:
        report.items.append(ReproduceReport.Item(stage: name, decision: nil, status: nil, record: nil, differences: []))
      }
    }
  }
}

/// Holds a run under way until its command has ended.
final class StartedRunBox {
  let job: RunJob
  private var run: StartedRun?

  init(_ run: consuming StartedRun) {
    job = run.job
    self.run = consume run
  }

  func take() -> StartedRun? { run.take() }
}
