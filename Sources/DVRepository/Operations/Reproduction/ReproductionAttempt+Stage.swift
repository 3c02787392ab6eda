import DVContent
import DVLineage
import DVObject
import DVPipeline
import DVWorkspace

/// The stage that is run again, and the tolerances that it declares.
extension ReproductionAttempt {
  /// The stage to run, and what its `dv.yaml` says of tolerances.
  func stage(in isolated: Repository) throws -> (Stage?, [Tolerances.Rule]) {
    let run = step.run
    let file = StagePath.pipeline(of: run.stage)
    var declared: Stage?
    if let address = run.stage, let file {
      let pipeline: Pipeline? = request.isAsCommitted
        ? try isolated.pipeline(from: TreePath(file.parent)) : try? isolated.pipeline(from: TreePath(file.parent))
      declared = pipeline?.graph.stages.first { $0.address == address }
    }
    let rules = declared.map { Self.tolerances(of: $0) } ?? []
    if request.isAsCommitted, run.stage != nil { return (declared, rules) }
    let name = run.stage?.split(separator: ":").last.map(String.init) ?? "run"
    var stage = Stage(name: name, file: file ?? .root, commands: run.commands, workingDirectory: run.workingDirectory)
    stage.outputs = run.outputs.map { state in
      Output(
        state.path, role: run.metrics.contains { $0.file == state.path } ? .metric : .data,
        isCached: !run.uncached.contains(state.path))
    }
    return (stage, rules)
  }

  /// What `meta.tolerance` of a stage and of its outputs says.
  private static func tolerances(of stage: Stage) -> [Tolerances.Rule] {
    var rules: [Tolerances.Rule] = []
    for member in stage.meta?["tolerance"]?.object?.members ?? [] {
      if let relative = member.value.double, relative >= 0 { rules.append(Tolerances.Rule(member.key, relative: relative)) }
    }
    for output in stage.outputs {
      if let relative = output.annotations["meta"]?["tolerance"]?.double, relative >= 0 {
        for pattern in [output.path.text, output.path.text + "/*"] { rules.append(Tolerances.Rule(pattern, relative: relative)) }
      }
    }
    return rules
  }
}
