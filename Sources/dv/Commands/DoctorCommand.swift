import ArgumentParser
import DVFile
import DVRepository

struct DoctorCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Look at everything that dv relies on, and say what is wrong.",
    discussion: """
      Looks at versions, repository, store, file system, git's settings, remotes and pointers. Exits with 1 if something \
      is wrong. What is slower or less convenient than it could be is noted.
      """)

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let program = try? GitProgram(searchPath: ProcessEnvironment.variable("PATH"))
    let operation = Diagnose(version: DV.configuration.version, program: program)
    let diagnosis = try await ProgressDisplay(quiet: options.quiet).show { progress in
      await operation.run(in: { try Here.repository() }, progress: progress)
    }
    try StandardOutput.write(options.json ? json(diagnosis) : text(diagnosis))
    if !diagnosis.isHealthy { throw ExitCode.no }
  }

  private func text(_ diagnosis: Diagnosis) -> String {
    var lines: [String] = []
    for finding in diagnosis.findings {
      if options.quiet, finding.state == .good { continue }
      let mark =
        switch finding.state {
        case .good: "ok   "
        case .note: "note "
        case .wrong: "WRONG"
        }
      lines.append("\(mark)  \(SafeText.message(finding.subject)): \(SafeText.message(finding.message))")
      if let remedy = finding.remedy { lines.append("       \(SafeText.message(remedy))") }
    }
    let wrong = diagnosis.findings.count { $0.state == .wrong }
    lines.append(wrong == 0 ? "Nothing is wrong." : "\(Count(UInt64(wrong)).of("thing")) \(wrong == 1 ? "is" : "are") wrong.")
    return lines.map { $0 + "\n" }.joined()
  }

  private func json(_ diagnosis: Diagnosis) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.doctor/1")
      json.member("ok", diagnosis.isHealthy)
      json.array("findings") { json in
        for finding in diagnosis.findings {
          json.object { json in
            json.member("subject", finding.subject)
            json.member("state", finding.state.rawValue)
            json.member("message", finding.message)
            json.member("remedy", finding.remedy)
          }
        }
      }
    }
    return json.text + "\n"
  }
}
