import DVLineage
import DVObject
import DVPipeline
import DVRepository
import DVWorkspace

/// What it takes to reproduce runs, for people.
struct ReproductionPlanText {
  let lines: [String]

  init(_ plan: ReproductionPlan) {
    var lines: [String] = []
    let total = plan.steps.reduce(Int64(0)) { $0 + $1.duration }
    let place = plan.commit.map { " of commit \($0.prefix(10))" } ?? ""
    lines.append(
      "Plan: \(Count(UInt64(plan.steps.count)).of("run"))\(place), \(TimeSpan(.milliseconds(total))) when recorded")
    for (number, step) in plan.steps.enumerated() {
      lines.append("\(number + 1). \(SafeText.name(step.name))  run \(step.id.shortHex), \(TimeSpan(.milliseconds(step.duration)))")
      for command in step.run.commands { lines.append("     $ \(SafeText.message(command).split(separator: "\n").joined(separator: " "))") }
      var table = Table(.left, .left, .left)
      table.append("     code", step.run.code.map(\.id.shortHex) ?? "", Self.text(step.code))
      for input in step.inputs {
        table.append("     \(SafeText.name(input.path.text))", "\(input.content.oid.shortHex)  \(ByteCount(input.content.size))", Self.text(input.place))
      }
      lines += table.lines
      for path in step.borrowed {
        lines.append("     interpreter: '\(SafeText.name(path.bytes))' of your working tree is used, which git does not version")
      }
      for path in step.missingInterpreters {
        lines.append("     interpreter: MISSING: '\(SafeText.name(path.bytes))' is not in your working tree, and git does not version it")
      }
      for path in step.mismatches {
        lines.append("     code-mismatch: the commit has another '\(SafeText.name(path))' than the one that ran")
      }
      for unmet in step.unmet { lines.append("     not met: \(Self.text(unmet))") }
      lines += Self.lines(step.differences).map { "     " + $0 }
    }
    for problem in plan.problems { lines.append("warning: \(SafeText.message(problem))") }
    self.lines = lines
  }

  static func text(_ place: ReproductionPlan.Place) -> String {
    switch place {
    case .code: "in the code"
    case .here: "here"
    case .remote(let name): "on remote '\(SafeText.name(name))'"
    case .stage(let name): "made again by '\(SafeText.name(name))'"
    case .nowhere: "MISSING: neither here nor on a remote"
    }
  }

  static func text(_ difference: EnvironmentDifference) -> String {
    let (old, new) = (difference.recorded ?? "none", difference.here ?? "none")
    return "\(SafeText.name(difference.name)): \(SafeText.name(String(old.prefix(100)))) -> \(SafeText.name(String(new.prefix(100))))"
  }

  /// What is otherwise than recorded: a few of each severity.
  static func lines(_ differences: [EnvironmentDifference]?) -> [String] {
    guard let differences else { return ["environment: what was recorded of it is not to be had"] }
    guard !differences.isEmpty else { return ["environment: as recorded"] }
    var lines: [String] = []
    for severity in EnvironmentDifference.Severity.allCases {
      let some = differences.filter { $0.severity == severity }
      for difference in some.prefix(8) { lines.append("environment (\(severity.rawValue)): \(text(difference))") }
      if some.count > 8 { lines.append("environment (\(severity.rawValue)): … and \(some.count - 8) more") }
    }
    return lines
  }
}

/// What became of reproducing runs, as text, Markdown and JSON.
struct ReproductionText {
  private let report: ReproductionReport
  private let isDry: Bool

  init(_ report: ReproductionReport, isDry: Bool) {
    self.report = report
    self.isDry = isDry
  }

  private static func title(_ verdict: ReproductionVerdict) -> String {
    switch verdict {
    case .withinTolerance: "within tolerance"
    default: verdict.rawValue
    }
  }

  /// The verdict of one run, and what has to be said with it.
  private static func verdict(_ item: ReproductionReport.Item) -> String {
    var text = title(item.verdict)
    if item.isUnderOtherEnvironment { text += " under another environment" }
    if item.attempts > 1 {
      text += " (\(item.attempts) runs, \(Count(UInt64(item.results)).of("result"))\(item.results > 1 ? ": not deterministic" : ""))"
    }
    return text
  }

  private static func detail(_ output: ReproductionReport.Output) -> String {
    var text = output.reason.map { SafeText.name($0) } ?? ""
    if let largest = output.largest, output.verdict != .identical {
      text += " (largest relative difference \(ValueText(.number(largest), precision: 3)))"
    }
    return text
  }

  var lines: [String] {
    var lines: [String] = []
    for item in report.items {
      lines.append("\(SafeText.name(item.step.name)): \(Self.verdict(item))\(item.reason.map { ": \(SafeText.name($0))" } ?? "")")
      var table = Table(.left, .left, .left)
      for output in item.outputs {
        table.append("  \(SafeText.name(output.path.text))", Self.title(output.verdict), output.verdict == .identical ? "" : Self.detail(output))
      }
      lines += table.lines
      for metric in item.metrics where metric.recorded?.canonical() != metric.made?.canonical() {
        lines.append(
          "  \(SafeText.name(metric.file.text)):\(SafeText.name(metric.name))  \(ValueText(metric.recorded)) -> \(ValueText(metric.made))")
      }
      if let record = item.record { lines.append("  recorded as reproduction \(record.shortHex)") }
    }
    lines.append("Verdict: \(Self.title(report.verdict))")
    return lines
  }

  // MARK: - Markdown

  /// The report as a page of Markdown.
  var markdown: String {
    var text = "# Reproduction\(report.plan.commit.map { " of commit `\($0)`" } ?? "")\n\n"
    text += "Verdict: **\(Self.title(report.verdict))**\n\n| Stage | Run | Verdict | Took | Took when recorded |\n|---|---|---|---|---|\n"
    for item in report.items {
      text += "| \(Self.cell(item.step.name)) | `\(item.step.id.shortHex)` | \(Self.cell(Self.verdict(item))) "
      text += "| \(TimeSpan(.milliseconds(item.duration))) | \(TimeSpan(.milliseconds(item.step.duration))) |\n"
    }
    for item in report.items {
      text += "\n## \(Self.cell(item.step.name))\n\n"
      for command in item.step.run.commands {
        text += "    \(SafeText.message(command).split(separator: "\n").joined(separator: "\n    "))\n"
      }
      if let reason = item.reason { text += "\nReason: \(Self.cell(reason))\n" }
      text += "\n| Input | Content | Where |\n|---|---|---|\n"
      text += "| code | `\(item.step.run.code.map(\.id.text) ?? "")` | \(ReproductionPlanText.text(item.step.code)) |\n"
      for input in item.step.inputs {
        text += "| \(Self.cell(input.path.text)) | `\(input.content.oid.text)` | \(ReproductionPlanText.text(input.place)) |\n"
      }
      if !item.outputs.isEmpty {
        text += "\n| Output | Verdict | Recorded | Made again | Difference |\n|---|---|---|---|---|\n"
        for output in item.outputs {
          text += "| \(Self.cell(output.path.text)) | \(Self.title(output.verdict)) | `\(output.recorded.oid.text)` "
          text += "| \(output.made.map { "`\($0.oid.text)`" } ?? "") | \(Self.cell(Self.detail(output))) |\n"
        }
      }
      if !item.metrics.isEmpty {
        text += "\n| Metric | Recorded | Made again |\n|---|---|---|\n"
        for metric in item.metrics {
          text += "| \(Self.cell("\(metric.file.text):\(metric.name)")) | \(Self.cell(ValueText(metric.recorded).description)) "
          text += "| \(Self.cell(ValueText(metric.made).description)) |\n"
        }
      }
      for path in item.step.mismatches { text += "\ncode-mismatch: the commit has another \(Self.cell(path)) than the one that ran.\n" }
      text += "\n" + ReproductionPlanText.lines(item.step.differences).map { "- \(Self.cell($0))\n" }.joined()
      if let record = item.record { text += "\nRecord: `\(record.text)`\n" }
    }
    return text
  }

  /// Text that cannot end a cell or begin markup.
  private static func cell(_ text: String) -> String {
    var cell = ""
    for character in SafeText.name(text) {
      if "|<>*_`[]#".contains(character) { cell.append("\\") }
      cell.append(character)
    }
    return cell
  }

  // MARK: - JSON

  /// The report as one JSON object and a line break.
  var json: String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.reproduce/1")
      json.member("commit", report.plan.commit)
      json.member("verdict", isDry ? nil : report.verdict.rawValue)
      json.member("dryRun", isDry)
      json.array("stages") { json in
        for item in report.items { json.object { json in write(item, to: &json) } }
      }
      // All outputs and metrics once more, for who does not ask which stage they are of.
      json.array("outputs") { json in
        for item in report.items { write(item.outputs, to: &json) }
      }
      json.array("metrics") { json in
        for item in report.items { write(item.metrics, to: &json) }
      }
      json.object("environment") { json in
        json.array("differences") { json in
          var seen: Set<EnvironmentDifference> = []
          for difference in report.items.flatMap({ $0.step.differences ?? [] }) where seen.insert(difference).inserted {
            write(difference, to: &json)
          }
        }
      }
      json.array("problems") { json in for problem in report.plan.problems { json.value(problem) } }
    }
    return json.text + "\n"
  }

  private func write(_ item: ReproductionReport.Item, to json: inout JSONText) {
    json.member("stage", item.step.run.stage)
    json.member("run", item.step.id.text)
    json.member("verdict", isDry ? nil : item.verdict.rawValue)
    json.member("otherEnvironment", item.isUnderOtherEnvironment)
    json.member("reason", item.reason)
    json.member("record", item.record?.text)
    json.member("attempts", item.attempts)
    json.member("results", item.results)
    json.member("milliseconds", item.duration)
    json.member("recordedMilliseconds", item.step.duration)
    json.member("exit", item.exitCode)
    json.member("log", item.log?.id.text)
    json.array("cmd") { json in for command in item.step.run.commands { json.value(command) } }
    json.member("code", item.step.run.code?.id.text)
    json.member("codePlace", Self.word(item.step.code))
    json.array("inputs") { json in
      for input in item.step.inputs {
        json.object { json in
          json.member("path", input.path.text)
          json.member("oid", input.content.oid.text)
          json.member("size", input.content.size)
          json.member("place", Self.word(input.place))
        }
      }
    }
    json.array("outputs") { json in write(item.outputs, to: &json) }
    json.array("metrics") { json in write(item.metrics, to: &json) }
    json.array("borrowedEnvironments") { json in for path in item.step.borrowed { json.value(path.description) } }
    json.array("missingInterpreters") { json in for path in item.step.missingInterpreters { json.value(path.description) } }
    json.array("codeMismatch") { json in for path in item.step.mismatches { json.value(path) } }
    json.array("unmet") { json in for difference in item.step.unmet { write(difference, to: &json) } }
    json.member("environmentKnown", item.step.differences != nil)
    json.array("environment") { json in for difference in item.step.differences ?? [] { write(difference, to: &json) } }
  }

  private func write(_ outputs: [ReproductionReport.Output], to json: inout JSONText) {
    for output in outputs {
      json.object { json in
        json.member("path", output.path.text)
        json.member("recorded", output.recorded.oid.text)
        json.member("reproduced", output.made?.oid.text)
        json.member("same", output.verdict == .identical)
        json.member("verdict", output.verdict.rawValue)
        json.member("reason", output.reason)
        if let largest = output.largest { json.member("largestRelativeDifference", largest) }
      }
    }
  }

  private func write(_ metrics: [ReproductionReport.Metric], to json: inout JSONText) {
    for metric in metrics {
      json.object { json in
        json.member("file", metric.file.text)
        json.member("name", metric.name)
        json.member("recorded", metric.recorded)
        json.member("reproduced", metric.made)
      }
    }
  }

  private func write(_ difference: EnvironmentDifference, to json: inout JSONText) {
    json.object { json in
      json.member("severity", difference.severity.rawValue)
      json.member("name", difference.name)
      json.member("recorded", difference.recorded)
      json.member("here", difference.here)
    }
  }

  /// Where something is, in one word for programs; of a remote or stage with its name.
  private static func word(_ place: ReproductionPlan.Place) -> String {
    switch place {
    case .code: "code"
    case .here: "here"
    case .remote(let name): "remote:\(name)"
    case .stage(let name): "stage:\(name)"
    case .nowhere: "missing"
    }
  }
}
