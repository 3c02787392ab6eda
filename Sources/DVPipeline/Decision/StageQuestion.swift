import DVObject

/// Whether a stage must run: all that the answer depends on, as values.
public struct StageQuestion: Sendable {
  public let stage: Stage
  public let key: StageKey
  /// Runs that succeeded: those with this key and, for the reason, others of the same stage.
  public var runs: [PastRun]
  /// What lies at the places of the outputs, or what their pointers say where nothing lies; those that are neither are
  /// not here.
  public var outputs: [StagePath: ContentState]
  public var isForced = false

  public init(stage: Stage, key: StageKey, runs: [PastRun], outputs: [StagePath: ContentState]) {
    self.stage = stage
    self.key = key
    self.runs = runs
    self.outputs = outputs
  }

  /// Returns what to do.
  ///
  /// Of several runs with the key counts the one that pointers name, else one that made what is there, else one of HEAD's
  /// history, else the newest; of equally new ones the one whose record has the lowest ID.
  public func decide() -> StageDecision {
    if stage.isFrozen, !isForced { return .frozen }
    if isForced { return .run(because: .forced) }
    if stage.isAlwaysChanged { return .run(because: .alwaysChanged) }
    if stage.hasNoInputs { return .run(because: .noInputs) }
    let id = key.id
    let candidates = runs.filter { $0.key == id }
    guard !candidates.isEmpty else { return .run(because: difference()) }
    // What any run with this key made is as good as what another made.
    let matching = candidates.filter { firstDifference(from: $0) == nil }
    if let best = best(matching) { return .upToDate(record: best.record) }
    guard let best = best(candidates.filter(\.canBeRestored)) else {
      let newest = self.best(candidates) ?? candidates[0]
      return .run(because: firstDifference(from: newest) ?? .neverRun)
    }
    return .restore(record: best.record, because: firstDifference(from: best) ?? .neverRun)
  }

  private func best(_ runs: [PastRun]) -> PastRun? {
    runs.max { left, right in
      if left.isNamedByPointers != right.isNamedByPointers { return right.isNamedByPointers }
      if left.isInHistory != right.isInHistory { return right.isInHistory }
      return left.end != right.end ? left.end < right.end : left.record > right.record
    }
  }

  /// The first output that is not what `run` made.
  private func firstDifference(from run: PastRun) -> StageDecision.Reason? {
    for output in stage.outputs {
      guard let there = outputs[output.path] else { return .outputMissing(path: output.path) }
      guard let made = run.outputs.first(where: { $0.path == output.path }), made.content.isSame(as: there) else {
        return .outputChanged(path: output.path)
      }
    }
    return nil
  }

  /// What differs from the last run of the stage.
  private func difference() -> StageDecision.Reason {
    guard let last = best(runs) else {
      return stage.outputs.contains { outputs[$0.path] != nil } ? .unrecorded : .neverRun
    }
    if last.commands != key.commands { return .commandChanged }
    if last.workingDirectory != key.workingDirectory { return .workingDirectoryChanged }
    for input in key.inputs {
      guard let old = last.inputs.first(where: { $0.path == input.path }) else { return .inputAdded(path: input.path) }
      if !old.content.isSame(as: input.content) { return .inputChanged(path: input.path) }
    }
    if let gone = last.inputs.first(where: { old in !key.inputs.contains { $0.path == old.path } }) {
      return .inputRemoved(path: gone.path)
    }
    if let reason = parameterDifference(from: last) { return reason }
    for (name, value) in key.environment where !last.environment.contains(where: { $0.name == name && $0.value == value }) {
      return .environmentChanged(name: name)
    }
    if let gone = last.environment.first(where: { old in !key.environment.contains { $0.name == old.name } }) {
      return .environmentChanged(name: gone.name)
    }
    return .outputsDeclaredOtherwise
  }

  private func parameterDifference(from last: PastRun) -> StageDecision.Reason? {
    func value(_ file: StagePath, _ name: String, in values: [ParameterValue]) -> JSONValue? {
      values.first { $0.file == file && $0.name == name }?.value
    }
    for parameter in key.parameters {
      let old = value(parameter.file, parameter.name, in: last.parameters)
      if old?.canonical() != parameter.value.canonical() {
        // Of a whole section, the value inside that differs.
        if let old, old.object != nil, parameter.value.object != nil,
          let inner = ValueDifference.between(old, parameter.value).first
        {
          let name = parameter.name.isEmpty ? inner.name : "\(parameter.name).\(inner.name)"
          return .parameterChanged(file: parameter.file, name: name, old: inner.old, new: inner.new)
        }
        return .parameterChanged(file: parameter.file, name: parameter.name, old: old, new: parameter.value)
      }
    }
    for old in last.parameters where value(old.file, old.name, in: key.parameters) == nil {
      return .parameterChanged(file: old.file, name: old.name, old: old.value, new: nil)
    }
    return nil
  }
}
