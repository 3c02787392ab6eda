import DVLineage
import DVObject
import DVPipeline

/// What is recorded of a reproduction, as text and as JSON.
struct ReproductionRecordText {
  let id: ObjectID
  let record: ReproductionRecord

  /// One line each of what is known, for people.
  var lines: [String] {
    var table = Table(.left, .left)
    table.append("reproduction", id.hex)
    table.append("of run", record.run.hex)
    if let stage = record.stage { table.append("stage", SafeText.name(stage)) }
    if let commit = record.commit { table.append("commit", String(commit.prefix(12))) }
    table.append("verdict", record.verdict.rawValue)
    if let reason = record.reason { table.append("reason", SafeText.name(reason)) }
    table.append("started", DateText(milliseconds: record.start).description)
    table.append("took", TimeSpan(.milliseconds(max(0, record.end - record.start))).description)
    if let user = record.user { table.append("user", SafeText.name(user)) }
    if let host = record.host { table.append("host", SafeText.name(host)) }
    let ways = [(record.isChained, "--chain"), (record.isAsCommitted, "--as-committed"), (record.isOffline, "--offline")]
    for (isSo, way) in ways where isSo { table.append("asked for", way) }
    if record.attempts > 1 { table.append("attempts", "\(record.attempts), with \(Count(UInt64(max(0, record.results))).of("result"))") }
    for (pattern, relative) in record.tolerances { table.append("tolerance", "\(SafeText.name(pattern)) = \(ValueText(.number(relative)))") }
    for output in record.outputs {
      let made = output.made.map { $0.oid == output.recorded ? "" : " -> \($0.oid.shortHex)" } ?? " -> not made"
      let reason = output.reason.map { ": \(SafeText.name($0))" } ?? ""
      table.append("output", "\(SafeText.name(output.path.text)) \(output.recorded.shortHex)\(made) \(output.verdict.rawValue)\(reason)")
    }
    if let log = record.log { table.append("log", "\(log.id.shortHex) (\(ByteCount(log.size)))") }
    return table.lines
  }

  /// Writes the members of the reproduction.
  func write(to json: inout JSONText) {
    json.member("reproduction", id.text)
    json.member("run", record.run.text)
    json.member("verdict", record.verdict.rawValue)
    json.object("record") { json in
      for member in record.json.members { json.member(member.key, member.value) }
    }
  }
}
