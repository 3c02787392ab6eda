import DVContent
import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVWorkspace
import SystemPackage

/// What was made again beside what the record says.
extension ReproductionAttempt {
  func compare(_ outcome: inout Outcome, _ stage: Stage, _ session: RunSession, _ root: FilePath) async throws {
    let isCached = Dictionary(stage.outputs.map { ($0.path, $0.isCached) }) { first, _ in first }
    let there = try step.run.outputs.filter { try root.appending(TreePath($0.path)).fileStat() != nil }
    let tracked = there.filter { isCached[$0.path] ?? !step.run.uncached.contains($0.path) }.map { TreePath($0.path) }
    if !tracked.isEmpty { _ = try await AddData(tracked).run(in: session.repository, progress: progress) }

    let scratch = try TemporaryDirectory(in: root.containingDirectory)
    let comparison = OutputComparison(reader: reader, scratch: scratch.path, tolerances: Tolerances(outcome.tolerances, notedIn: request.tolerances.use))
    outcome.verdict = .identical
    for recorded in step.run.outputs {
      var item = ReproductionReport.Output(path: recorded.path, recorded: recorded.content, made: nil, verdict: .failed)
      if there.contains(recorded), let made = try await session.survey.state(of: recorded.path) {
        item.made = made
        let found = try await comparison.compare(recorded, made, at: root.appending(TreePath(recorded.path)))
        item.verdict = ReproductionVerdict(found.verdict)
        item.reason = found.reason
        item.largest = found.largest
      } else {
        item.reason = "it was not made"
      }
      outcome.outputs.append(item)
      outcome.verdict = max(outcome.verdict, item.verdict)
    }
    if outcome.verdict == .failed {
      outcome.reason = outcome.outputs.first { $0.made == nil }.map { "the command ended well and did not make '\($0.path)'" }
    }
    let values = try session.metrics(of: stage)
    for (file, recorded) in step.run.metrics {
      for change in ValueDifference.between(recorded, values.first { $0.file == file }?.values, all: true) {
        outcome.metrics.append(
          ReproductionReport.Metric(file: file, name: change.name, recorded: change.old, made: change.new))
      }
    }
  }
}

extension ReproductionVerdict {
  init(_ verdict: ContentVerdict) {
    self =
      switch verdict {
      case .identical: .identical
      case .equivalent: .equivalent
      case .withinTolerance: .withinTolerance
      case .different: .different
      }
  }
}
