import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace

/// Which stages must run, and why.
extension ReproduceWork {
  /// Decides about one stage, all before it being done.
  mutating func decide(_ stage: Stage) async throws -> (decision: StageDecision, key: StageKey?, runs: [PastRun]) {
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
    switch decision {
    case .run(because: .neverRun), .run(because: .unrecorded):
      if let failed = past.failedRun(key: key.id) { return (.run(because: .lastRunFailed(record: failed)), key, runs) }
    default: break
    }
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
}
