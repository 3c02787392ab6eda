import ArgumentParser

/// A subcommand: parses, calls one operation, renders its report.
///
/// Before `run` is called, the current directory is the one of `-C`. A question whose answer is no is an answer and not
/// a failure: the command prints it and throws ``ExitCode/no``, which ends dv without an error message.
protocol Command: AsyncParsableCommand {
  var options: GlobalOptions { get }
}
