/// An error that says which exit code it means and what the person can do.
///
/// Every module has one error type; the conformances of these types are how its codes become exit codes.
protocol ReportedError: Error {
  /// What was being done to which path or object, and why it failed.
  var message: String { get }
  /// What to do next, if `message` does not say it.
  var remedy: String? { get }
  var exitCode: ExitCode { get }
}

/// A failure as people read it: a line `error: <message>`, and a line that says what to do next.
struct ErrorText {
  /// The lines, without escape sequences, whatever a file name in them holds.
  let lines: [String]
  let exitCode: ExitCode

  init(_ error: any Error) {
    switch error {
    case let error as any ReportedError:
      self.init(message: error.message, remedy: error.remedy, exitCode: error.exitCode)
    case is CancellationError:
      self.init(
        message: "Interrupted.", remedy: "Run the same command again: it goes on from where it stopped.",
        exitCode: .interrupted)
    default:
      self.init(message: String(describing: error), remedy: nil, exitCode: .usage)
    }
  }

  init(message: String, remedy: String?, exitCode: ExitCode) {
    var lines = ["error: \(SafeText.message(message))"]
    if let remedy { lines.append("       \(SafeText.message(remedy))") }
    self.lines = lines
    self.exitCode = exitCode
  }

  /// The lines as one text that ends in a line break.
  var text: String { lines.map { $0 + "\n" }.joined() }
}
