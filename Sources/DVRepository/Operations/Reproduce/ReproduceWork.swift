import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// Stages being brought up to date.
struct ReproduceWork {
  let graph: StageGraph
  let positions: [Int]
  let request: ReproduceStages.Request
  let session: RunSession
  var past: PastRuns
  let shared: SharedRuns
  private(set) var report = ReproduceReport()

  /// What is known of each stage so far.
  private enum Fate {
    case decided(StageDecision)
    case running(StageDecision)
    case ran(StageDecision, FinishedRun)
    case failed(StageDecision, FinishedRun)
    case skipped
  }

  private var fates: [Int: Fate] = [:]
  /// By the addresses of stages that need not run.
  private var differences: [String: [EnvironmentDifference]] = [:]
  /// In a dry run, what outputs will be once they are restored.
  private var expected: [StagePath: ContentState] = [:]

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

  // MARK: - Deciding

  /// Decides about one stage, all before it being done.
  private mutating func decide(_ stage: Stage) async throws -> (decision: StageDecision, key: StageKey?, runs: [PastRun]) {
    if stage.isFrozen, !request.isForced { return (.frozen, nil, []) }
    let key = try await session.key(of: stage, expected: expected)
    var outputs = try await session.outputs(of: stage)
    for output in stage.outputs {
      if let state = expected[output.path] { outputs[output.path] = state }
    }
    var runs = try await past.runs(of: stage, key: key.id, namedBy: try pointerRuns(of: stage))
    var drift: StageDecision.Reason?
    if request.isStrict { drift = try await keepFitting(&runs, stage, key.id) }
    for index in runs.indices where runs[index].key == key.id {
      runs[index].canBeRestored = try await canBeRestored(runs[index])
    }
    if !runs.contains(where: { $0.key == key.id }) {
      // What was set aside above is on the remote too.
      var others = try await shared.runs(key: key.id)
      if request.isStrict {
        let reason = try await keepFitting(&others, stage, key.id)
        drift = drift ?? reason
      }
      runs += others
    }
    var question = StageQuestion(stage: stage, key: key, runs: runs, outputs: outputs)
    question.isForced = request.isForced
    var decision = question.decide()
    if case .run = decision, request.pulls, !request.isDry, try await fetchOutputs(for: &question) { decision = question.decide() }
    if let drift, !request.isForced, case .run = decision { return (.run(because: drift), key, runs) }
    switch decision {
    case .upToDate(let record), .restore(let record, _):
      guard let run = try await session.book.run(record) else { break }
      differences[stage.address] = try await session.drift(of: stage, since: run)
    default: break
    }
    return (decision, key, runs)
  }

  /// Removes the runs with the stage's key whose surroundings were others than those of here, or are not known.
  ///
  /// - Returns: what was otherwise at the first of them; `nil` if none was removed.
  private func keepFitting(_ runs: inout [PastRun], _ stage: Stage, _ key: ObjectID) async throws -> StageDecision.Reason? {
    var fitting: [PastRun] = []
    var first: StageDecision.Reason?
    for run in runs {
      guard run.key == key else {
        fitting.append(run)
        continue
      }
      var record = shared.foreign(run.record)
      if record == nil { record = try await session.book.run(run.record) }
      var found: [EnvironmentDifference]?
      if let record {
        found = try await session.drift(of: stage, since: record)
        if found == nil, let object = record.environment, try await shared.fetch(object) {
          try await session.store.refresh()
          found = try await session.drift(of: stage, since: record)
        }
      }
      switch found {
      case nil: first = first ?? .surroundingsUnknown
      case let differences? where differences.isEmpty: fitting.append(run)
      case let differences?:
        first = first ?? .surroundingsDiffer(name: differences[0].name, old: differences[0].recorded, new: differences[0].here)
      }
    }
    runs = fitting
    return first
  }

  /// Fetches what a run with the stage's key made, if that is known and not here.
  ///
  /// - Returns: whether one of them can be restored now.
  private func fetchOutputs(for question: inout StageQuestion) async throws -> Bool {
    guard !question.isForced, !question.stage.isAlwaysChanged, !question.stage.hasNoInputs else { return false }
    let key = question.key.id
    for index in question.runs.indices.reversed() where question.runs[index].key == key {
      guard try await session.fetchOutputs(of: question.runs[index]) else { continue }
      question.runs[index].canBeRestored = true
      return true
    }
    return false
  }

  private func pointerRuns(of stage: Stage) throws -> Set<ObjectID> {
    var runs: Set<ObjectID> = []
    for output in stage.outputs where output.isCached {
      let path = PointerFile.path(for: TreePath(output.path))
      if let run = try? PointerFile.read(path, in: session.root)?.pointer.run { runs.insert(run) }
    }
    return runs
  }

  private func canBeRestored(_ run: PastRun) async throws -> Bool {
    for output in run.outputs {
      switch output.content.mode {
      case .file, .exec:
        guard try await session.store.holdsFile(output.content.oid) else { return false }
      case .tree:
        let pointer = Pointer(tree: output.content.oid, totals: TreeTotals(bytes: output.content.size))
        guard try await session.store.holds(pointer) else { return false }
      case .directory: return false
      }
    }
    return true
  }

  /// Decides about all stages without doing anything.
  mutating func decideAll() async throws {
    for position in positions {
      let stage = graph.stages[position]
      if let waiting = graph.upstream[position].first(where: { willChange($0) }) {
        set(position, .decided(.wait(for: graph.stages[waiting].address)))
        continue
      }
      let (decision, _, runs) = try await decide(stage)
      if case .restore(let record, _) = decision, let run = runs.first(where: { $0.record == record }) {
        for output in run.outputs { expected[output.path] = output.content }
      }
      set(position, .decided(decision))
    }
    makeReport()
  }

  /// Whether what a stage makes is not known before it has run.
  private func willChange(_ position: Int) -> Bool {
    guard case .decided(let decision)? = fates[position] else { return false }
    return switch decision {
    case .run, .wait: true
    case .upToDate, .frozen, .restore: false
    }
  }

  private mutating func set(_ position: Int, _ fate: Fate) {
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

  private mutating func makeReport() {
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
