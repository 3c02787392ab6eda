import ArgumentParser
import DVObject
import DVPipeline
import DVRepository
import DVWorkspace

struct RunsDifferenceCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Show what two recorded runs have otherwise.",
    discussion: """
      Compares code, command, parameters, inputs, environment, metrics and outputs. With --exit-code the answer is also in \
      the exit code: 1 if anything but user, host and commit differs.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Exit with 1 if they differ.")
  var exitCode = false

  @Argument(help: "The start of a run's ID, of at least 4 digits.")
  var old: String

  @Argument(help: "The start of another's.")
  var new: String

  func run() async throws {
    let report = try await CompareRuns(old, new).run(in: try Here.repository())
    ValuesRendering.warn(report.problems)
    try StandardOutput.write(options.json ? RunsDifferenceText.json(report) : RunsDifferenceText.text(report))
    if exitCode, !report.isSame { throw ExitCode.no }
  }
}

/// What two runs have otherwise, as text and as JSON.
enum RunsDifferenceText {
  static func text(_ report: CompareRuns.Report) -> String {
    var table = Table(.left, .left, .left, .left)
    for fact in report.facts {
      table.append("run", SafeText.name(fact.name), ValueText(fact.old).description, ValueText(fact.new).description)
    }
    for change in report.code {
      table.append("code", SafeText.name((change.previousPath ?? change.path).bytes), "", word(change))
    }
    if report.isCodeDifferent, report.code.isEmpty { table.append("code", "", "differs", "") }
    for item in report.parameters {
      table.append("parameter", SafeText.name(item.name), ValueText(item.old).description, ValueText(item.new).description)
    }
    for item in report.inputs { table.append("input", SafeText.name(item.path), text(item.old), text(item.new)) }
    for item in report.environment {
      table.append("environment", SafeText.name(item.name), short(item.recorded), short(item.here))
    }
    for item in report.metrics {
      table.append("metric", SafeText.name(item.name), ValueText(item.old).description, ValueText(item.new).description)
    }
    for item in report.outputs { table.append("output", SafeText.name(item.path), text(item.old), text(item.new)) }
    return table.lines.isEmpty ? "Nothing differs.\n" : table.lines.map { $0 + "\n" }.joined()
  }

  private static func word(_ change: TreeChange) -> String {
    change.kind == .renamed ? "renamed to \(SafeText.name(change.path.bytes))" : change.kind.rawValue
  }

  private static func text(_ state: ContentState?) -> String {
    state.map { "\($0.oid.shortHex) (\(ByteCount($0.size)))" } ?? "-"
  }

  private static func short(_ text: String?) -> String {
    guard let text else { return "-" }
    return SafeText.name(text.count > 60 ? String(text.prefix(60)) + "…" : text)
  }

  static func json(_ report: CompareRuns.Report) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.runs.diff/1")
      json.member("old", report.old.id.text)
      json.member("new", report.new.id.text)
      json.member("same", report.isSame)
      values("facts", report.facts, &json)
      json.object("code") { json in
        json.member("same", !report.isCodeDifferent)
        json.array("changes") { json in
          for change in report.code {
            json.object { json in
              json.path("path", change.path.bytes)
              json.member("change", change.kind.rawValue)
              json.member("old", change.old?.oid.text)
              json.member("new", change.new?.oid.text)
            }
          }
        }
      }
      values("parameters", report.parameters, &json)
      contents("inputs", report.inputs, &json)
      json.array("environment") { json in
        for item in report.environment {
          json.object { json in
            json.member("name", item.name)
            json.member("severity", item.severity.rawValue)
            json.member("old", item.recorded)
            json.member("new", item.here)
          }
        }
      }
      values("metrics", report.metrics, &json)
      contents("outputs", report.outputs, &json)
      json.array("problems") { json in report.problems.forEach { json.value($0) } }
    }
    return json.text + "\n"
  }

  private static func values(_ key: String, _ items: [ValueDifference], _ json: inout JSONText) {
    json.array(key) { json in
      for item in items {
        json.object { json in
          json.member("name", item.name)
          json.member("old", item.old)
          json.member("new", item.new)
        }
      }
    }
  }

  private static func contents(_ key: String, _ items: [CompareRuns.ContentDifference], _ json: inout JSONText) {
    json.array(key) { json in
      for item in items {
        json.object { json in
          json.member("path", item.path)
          json.member("old", item.old?.oid.text)
          json.member("new", item.new?.oid.text)
        }
      }
    }
  }
}
