import DVLineage
import DVObject
import DVPipeline

/// A recorded run as text and as JSON.
struct RunText {
  let id: ObjectID
  let run: RunRecord

  /// One line each of what is known, for people.
  var lines: [String] {
    var table = Table(.left, .left)
    table.append("run", id.hex)
    if let stage = run.stage { table.append("stage", SafeText.name(stage)) }
    table.append("status", RunEndText(run).description)
    for command in run.commands { table.append("command", SafeText.name(command)) }
    if !run.workingDirectory.isRoot { table.append("directory", SafeText.name(run.workingDirectory.text)) }
    table.append("started", DateText(milliseconds: run.start).description)
    table.append("took", TimeSpan(.milliseconds(run.end - run.start)).description)
    if let time = run.processorTime { table.append("processor", TimeSpan(.milliseconds(time)).description) }
    if let memory = run.peakMemory, memory > 0 { table.append("memory", ByteCount(UInt64(memory)).description) }
    if let seed = run.seed { table.append("seed", SafeText.name(seed)) }
    if let user = run.user { table.append("user", SafeText.name(user)) }
    if let host = run.host { table.append("host", SafeText.name(host)) }
    if let base = run.base { table.append("commit", String(base.prefix(12))) }
    if let code = run.code { table.append("code", code.id.shortHex) }
    if let environment = run.environment { table.append("environment", environment.id.shortHex) }
    if let log = run.log { table.append("log", "\(log.id.shortHex) (\(ByteCount(log.size)))") }
    for input in run.inputs { table.append("input", line(input)) }
    for parameter in run.parameters {
      table.append("parameter", "\(SafeText.name(parameter.file.text)):\(SafeText.name(parameter.name)) = \(ValueText(parameter.value))")
    }
    for (name, value) in run.declared { table.append("declared", "\(SafeText.name(name)) = \(SafeText.name(value))") }
    for output in run.outputs { table.append("output", line(output)) }
    for file in run.undeclared ?? [] { table.append(file.isOutput ? "also wrote" : "also read", SafeText.name(file.path)) }
    for (file, values) in run.metrics {
      for (name, value) in values.flattened() { table.append("metric", "\(SafeText.name(file.text)):\(SafeText.name(name)) = \(ValueText(value))") }
    }
    for (kind, label) in [("params", "logged"), ("metrics", "metric")] {
      for (name, value) in run.logged?[kind]?.object?.members.map({ ($0.key, $0.value) }) ?? [] {
        table.append(label, "\(SafeText.name(name)) = \(ValueText(value))")
      }
    }
    if let series = run.series { table.append("series", "\(series.id.shortHex) (\(ByteCount(series.size)))") }
    if run.isPartial { table.append("", "Some of this run is in an object that is not in the local store.") }
    return table.lines
  }

  private func line(_ state: PathState) -> String {
    let kind = state.content.mode == .file ? "" : " (\(state.content.mode.rawValue))"
    return "\(SafeText.name(state.path.text))\(kind) \(state.content.oid.shortHex) \(ByteCount(state.content.size))"
  }

  /// Writes the members of the run.
  func write(to json: inout JSONText) {
    json.member("run", id.text)
    json.member("complete", run.status == .complete)
    json.object("record") { json in
      for member in run.json.members { json.member(member.key, member.value) }
    }
  }
}
