import DVContent
import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// Makes again what recorded runs made, and says how alike it is.
///
///     the plan: which runs, from what, where that can be had, what is otherwise here
///     what lacks is fetched
///     for each run, in an isolated working tree: its code, its inputs, its command
///     outputs are compared with those of the record, and the outcome is recorded
///
/// The user's working tree is neither read nor written, but for the record of the outcome, which is staged where git carries the run's.
public struct ReproduceRuns: Sendable {
  private let request: ReproductionRequest
  private let environment: [[UInt8]]

  /// - Parameter environment: the variables that commands get, `NAME=value`.
  public init(_ request: ReproductionRequest, environment: [[UInt8]]) {
    self.request = request
    self.environment = environment
  }

  /// Carries it out. What cannot be reproduced is a result.
  ///
  /// - Parameter announce: called with the plan before anything is run.
  /// - Throws: ``RepositoryError/Code/usage`` for a target that is none; what fetching throws.
  public func run(
    in repository: Repository, output: RunOutput, progress: ProgressSink, announce: (ReproductionPlan) throws -> Void
  ) async throws -> ReproductionReport {
    try repository.requireProject()
    try IsolatedWorktree.removeLeftovers(of: repository)
    let reader = try repository.dataReader()
    let planning = PlanReproduction(request: request, repository: repository, environment: environment, reader: reader)
    let prepared = try await planning.prepare(progress)
    try announce(prepared.plan)
    var report = ReproductionReport(plan: prepared.plan)
    if request.isDry {
      report.items = prepared.plan.steps.map { Self.item($0, .missing, nil) }
      return report
    }
    let denial = request.isOffline
      ? try await NetworkDenial(environment: environment, directory: try repository.requireWorkDirectory()) : nil
    try await fetch(prepared, in: repository, progress)
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    var made: [PathState] = []
    for step in prepared.plan.steps {
      if report.wasInterrupted || Task.isCancelled { break }
      var item = Self.item(step, .missing, nil)
      if let obstacle = obstacle(step, report) {
        (item.verdict, item.reason) = obstacle
      } else {
        let attempt = ReproductionAttempt(
          request: request, step: step, commit: prepared.commit, repository: repository, reader: reader,
          environment: environment, denial: denial, made: made, output: output, progress: progress)
        let outcomes = try await outcomes(of: attempt)
        fill(&item, outcomes)
        if outcomes.contains(where: { $0.result?.wasInterrupted ?? false }) {
          report.wasInterrupted = true
        } else if let worst = outcomes.max(by: { $0.verdict < $1.verdict }), worst.result != nil {
          item.record = try await record(item, worst, prepared.commit, in: repository, book)
        }
        if request.isChained, item.verdict != .failed {
          made += (outcomes.first?.outputs ?? []).compactMap { output in output.made.map { PathState(output.path, $0) } }
        }
      }
      report.items.append(item)
    }
    return report
  }

  private static func item(
    _ step: ReproductionPlan.Step, _ verdict: ReproductionVerdict, _ reason: String?
  ) -> ReproductionReport.Item {
    var item = ReproductionReport.Item(step: step)
    item.verdict = verdict
    item.reason = reason
    return item
  }

  /// Why a run is not carried out at all.
  private func obstacle(_ step: ReproductionPlan.Step, _ report: ReproductionReport) -> (ReproductionVerdict, String)? {
    if let missing = step.missing.first {
      let more = step.missing.count > 1 ? " and \(step.missing.count - 1) more are" : " is"
      let name = missing == "the code" ? "the code that ran" : "'\(missing)'"
      return (.missing, "\(name)\(more) neither here nor on a remote")
    }
    if let unmet = step.unmet.first {
      return (.blocked, "the stage declares \(unmet.name) \(unmet.recorded ?? ""), and here it is \(unmet.here ?? "absent")")
    }
    if let interpreter = step.missingInterpreters.first {
      return (.blocked, "'\(interpreter)', which the command runs, is not in your working tree, and git does not version it")
    }
    guard request.isChained else { return nil }
    for input in step.inputs {
      guard case .stage(let name) = input.place,
        let earlier = report.items.last(where: { $0.step.name == name }), earlier.verdict > .different
      else { continue }
      return (.blocked, "'\(input.path)' was not made: '\(name)' \(earlier.verdict.rawValue)")
    }
    return nil
  }

  /// Brings what is on remotes into the local store. What cannot be delivered shows when it is needed.
  private func fetch(_ prepared: PlanReproduction.Prepared, in repository: Repository, _ progress: ProgressSink) async throws {
    for (name, roots) in prepared.toFetch.sorted(by: { $0.key < $1.key }) {
      let source = try await repository.remoteStore(try repository.remote(name), create: false)
      let local = try await repository.localStore(for: .write)
      progress.begin("Fetching", totalBytes: 0, totalItems: 0)
      _ = try await Transfer(.fetch, from: source, to: local.store) { progress.count($0) }.run(roots)
    }
  }

  private func outcomes(of attempt: ReproductionAttempt) async throws -> [ReproductionAttempt.Outcome] {
    var outcomes: [ReproductionAttempt.Outcome] = []
    for _ in 0..<max(1, request.attempts) {
      let outcome = try await attempt.run()
      outcomes.append(outcome)
      if outcome.result?.wasInterrupted ?? true || Task.isCancelled { break }
    }
    return outcomes
  }

  /// Tells of several attempts what became of the worst.
  private func fill(_ item: inout ReproductionReport.Item, _ outcomes: [ReproductionAttempt.Outcome]) {
    guard let worst = outcomes.max(by: { $0.verdict < $1.verdict }) else { return }
    item.verdict = worst.verdict
    item.reason = worst.reason
    item.outputs = worst.outputs
    item.metrics = worst.metrics
    item.attempts = outcomes.count
    item.results = Set(outcomes.map(\.contents)).count
    item.log = worst.log
    if let result = worst.result {
      item.duration = max(0, result.end - result.start)
      switch result.ending {
      case .exited(let code): item.exitCode = Int64(code)
      case .killed(let signal): item.signal = Int64(signal)
      }
    }
  }

  private func record(
    _ item: ReproductionReport.Item, _ outcome: ReproductionAttempt.Outcome, _ commit: GitObjectID?, in repository: Repository,
    _ book: RecordBook
  ) async throws -> ObjectID {
    var record = ReproductionRecord(of: item.step.id, verdict: item.verdict)
    record.stage = item.step.run.stage
    record.reason = item.reason
    record.commit = commit?.hex
    record.outputs = item.outputs.map {
      ReproductionRecord.Output(
        path: $0.path, recorded: $0.recorded.oid, made: $0.made, verdict: $0.verdict,
        reason: $0.verdict == .identical ? nil : $0.reason)
    }
    record.isChained = request.isChained
    record.isAsCommitted = request.isAsCommitted
    record.isOffline = request.isOffline
    record.attempts = Int64(item.attempts)
    record.results = Int64(item.results)
    record.tolerances = outcome.tolerances.map { ($0.pattern, $0.relative) }
    record.exitCode = item.exitCode
    record.signal = item.signal
    record.start = outcome.result?.start ?? 0
    record.end = outcome.result?.end ?? 0
    record.code = outcome.code
    record.environment = outcome.environment
    record.log = outcome.log
    record.user = outcome.user
    record.host = outcome.host
    let local = try await repository.localStore(for: .write)
    let id = try await book.append(record, ObjectWriter(addingTo: local.store))
    // Where git carries the run, it carries what became of making it again.
    if try book.isCarried(item.step.id) { try repository.git.stage(adding: [try GitPath(try book.publish(id).bytes)]) }
    return id
  }
}
