import DVRepository

/// The report of an audit for people and programs.
struct AuditText {
  private let report: AuditReport

  init(_ report: AuditReport) { self.report = report }

  func text(as format: AuditFormat) -> String {
    switch format {
    case .text: plain
    case .json: json
    case .markdown: markdown
    case .html: html
    }
  }

  private var anchor: String {
    switch report.anchor.kind {
    case .signedTag: "signed tag '\(report.anchor.name ?? "")'"
    case .signedCommit: "signed commit \(report.anchor.name?.prefix(10) ?? "")"
    case .witness:
      "remote '\(report.anchor.name ?? "")' bears witness: tags and history are as it saw them, last on \(DateText.day(report.anchor.time ?? 0))"
    case .none: "none: what is here agrees with itself, and nothing outside vouches for it"
    }
  }

  /// Which policy was asked; `nil` if there is none.
  private var policy: String? {
    guard let policy = report.policy, let blob = policy.blob else { return nil }
    return "'.dv/policy.yaml' of \(policy.branch), blob \(blob.prefix(12))"
  }

  private var counts: String {
    [
      (report.commits, "commit"), (report.records, "record"), (report.versions, "data version"), (report.tags, "registry tag"),
      (report.objects, "object"), (report.witnessed, "witnessed fact"),
    ].filter { $0.0 > 0 || $0.1 != "witnessed fact" }.map { Count(UInt64($0.0)).of($0.1) }.joined(separator: ", ")
  }

  private var verdict: String {
    let tampering = report.findings.filter { $0.severity == .tampering }.count
    let gaps = report.findings.count - tampering
    if report.findings.isEmpty { return "Nothing was found." }
    return [tampering > 0 ? "\(tampering) altered" : nil, gaps > 0 ? Count(UInt64(gaps)).of("gap") : nil].compactMap { $0 }.joined(separator: ", ") + "."
  }

  private var plain: String {
    var lines = ["Audited \(report.target.map { "'\(SafeText.name($0))': of " } ?? "")\(counts)\(report.isFull ? ", all bytes here read" : "").", "Anchor: \(SafeText.name(anchor))."]
    if let policy { lines.append("Policy: \(SafeText.name(policy)).") }
    for finding in report.findings {
      lines.append("\(finding.severity == .tampering ? "ALTERED" : "gap    ")  \(finding.kind)  \(SafeText.name(finding.subject)): \(SafeText.name(finding.message))")
    }
    return (lines + [verdict]).map { $0 + "\n" }.joined()
  }

  private var json: String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.audit/1")
      json.member("ok", report.findings.isEmpty)
      json.member("tampered", report.isTampered)
      json.member("target", report.target)
      json.member("head", report.head)
      json.object("anchor") { json in
        json.member("kind", report.anchor.kind.rawValue)
        json.member("name", report.anchor.name)
        json.member("time", report.anchor.time.map { Int64(clamping: $0) })
      }
      if let policy = report.policy {
        json.object("policy") { json in
          json.member("branch", policy.branch)
          json.member("commit", policy.commit)
          json.member("blob", policy.blob)
        }
      }
      json.object("checked") { json in
        json.member("commits", report.commits)
        json.member("records", report.records)
        json.member("versions", report.versions)
        json.member("tags", report.tags)
        json.member("objects", report.objects)
        json.member("witnessed", report.witnessed)
        json.member("full", report.isFull)
      }
      json.array("findings") { json in
        for finding in report.findings {
          json.object { json in
            json.member("severity", finding.severity.rawValue)
            json.member("kind", finding.kind)
            json.member("subject", finding.subject)
            json.member("message", finding.message)
          }
        }
      }
    }
    return json.text + "\n"
  }

  private var markdown: String {
    func cell(_ text: String) -> String {
      var result = ""
      for scalar in SafeText.name(text).unicodeScalars {
        if "\\`*_{}[]<>()#|&!~".unicodeScalars.contains(scalar) { result += "&#\(scalar.value);" } else { result.unicodeScalars.append(scalar) }
      }
      return result
    }
    var lines = ["# Audit" + (report.target.map { " of " + cell($0) } ?? ""), "", "- Commit: \(report.head ?? "none")", "- Anchor: \(cell(anchor))"] + (policy.map { ["- Policy: \(cell($0))"] } ?? []) + ["- Looked at: \(counts)\(report.isFull ? ", all bytes read" : "")", "- Result: \(verdict)"]
    if !report.findings.isEmpty {
      lines += ["", "| | Kind | What | Finding |", "|---|---|---|---|"]
      lines += report.findings.map { "| \($0.severity.rawValue) | \($0.kind) | \(cell($0.subject)) | \(cell($0.message)) |" }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private var html: String {
    func safe(_ text: String) -> String {
      SafeText.name(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
    let rows = report.findings.map {
      "<tr class=\"\($0.severity.rawValue)\"><td>\($0.severity.rawValue)</td><td>\(safe($0.kind))</td><td><code>\(safe($0.subject))</code></td><td>\(safe($0.message))</td></tr>\n"
    }.joined()
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>dv audit</title>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <style>:root{color-scheme:light dark}body{font:14px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}
      table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4em .6em;border-bottom:1px solid #8886;vertical-align:top}
      code{overflow-wrap:anywhere}.tampering td:first-child{color:#c81e1e;font-weight:bold}</style></head><body>
      <h1>Audit\(report.target.map { " of " + safe($0) } ?? "")</h1>
      <p>\(safe(verdict))</p>
      <ul><li>Commit: <code>\(safe(report.head ?? "none"))</code></li><li>Anchor: \(safe(anchor))</li>\(policy.map { "<li>Policy: \(safe($0))</li>" } ?? "")
      <li>Looked at: \(safe(counts))\(report.isFull ? ", all bytes read" : "")</li></ul>
      <table><thead><tr><th></th><th>Kind</th><th>What</th><th>Finding</th></tr></thead><tbody>
      \(rows)</tbody></table></body></html>

      """
  }
}
