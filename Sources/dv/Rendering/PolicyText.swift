import DVLineage
import DVObject
import DVRepository

/// What a policy says of a version, as people and programs read it.
struct PolicyText {
  private let report: PolicyReport

  init(_ report: PolicyReport) { self.report = report }

  /// Runs an operation, and tells all that is missing if a policy refuses it.
  ///
  /// - Throws: ``ExitCode/no`` then.
  static func refusing<Result>(_ options: GlobalOptions, as command: String, _ operation: () async throws -> Result) async throws -> Result {
    do {
      return try await operation()
    } catch let refusal as PolicyRefusal {
      let text = PolicyText(refusal.report)
      if options.json { try StandardOutput.write(text.json(command: command)) }
      StandardError.write(text.refusalLines.map { $0 + "\n" }.joined())
      throw ExitCode.no
    }
  }

  private var subject: String { "\(report.model)@\(report.release) as '\(report.alias)'" }

  private var place: String {
    guard let source = report.source, let blob = source.blob else { return "no policy" }
    return "'\(ModelPolicy.path)' of \(SafeText.message(source.branchName)) (\(blob.prefix(12)))"
  }

  private func lines(of checks: [PolicyCheck]) -> [String] {
    var table = Table(.left, .left, .left)
    for check in checks {
      table.append("  \(check.passes ? "ok" : "missing")", SafeText.message(check.name), SafeText.message(check.finding))
    }
    return table.lines
  }

  /// All checks.
  var lines: [String] {
    guard let source = report.source, source.blob != nil else {
      return ["\(subject): \(report.source.map { SafeText.message($0.branchName) } ?? "the repository") has no '\(ModelPolicy.path)', so nothing is needed."]
    }
    guard !report.checks.isEmpty else { return ["\(subject): \(place) asks for nothing."] }
    let verdict = report.isFulfilled ? "fulfils" : "does not fulfil"
    return ["\(subject) \(verdict) \(place)."] + lines(of: report.checks)
  }

  private var refusalLines: [String] {
    let missing = report.checks.filter { !$0.passes }
    return ["error: \(subject) does not fulfil \(place): \(missing.count) of \(report.checks.count) checks."] + lines(of: missing)
  }

  /// A line for what was promoted; empty if nothing was asked.
  var passedLine: String {
    report.checks.isEmpty ? "" : "It fulfils \(place): \(report.checks.map { SafeText.message($0.name) }.joined(separator: ", ")).\n"
  }

  func json(command: String) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.model.\(command)/1")
      json.member("model", report.model.text)
      json.member("version", report.release.description)
      json.member("alias", report.alias)
      writeChecks(to: &json)
    }
    return json.text + "\n"
  }

  /// Whether all is there, what was asked, and where that is written.
  func writeChecks(to json: inout JSONText) {
    json.member("ok", report.isFulfilled)
    json.member("policy", report.source?.blob)
    json.member("policyBranch", report.source?.branch)
    json.member("policyCommit", report.source?.commit)
    json.array("checks") { json in
      for check in report.checks {
        json.object { json in
          json.member("check", check.name)
          json.member("ok", check.passes)
          json.member("finding", check.finding)
          json.member("inputs", JSONValue.object(check.inputs))
        }
      }
    }
  }
}
