import DVFile
import DVRepository

/// A command that writes to the repository: before it runs, git is told how to show and merge pointers.
protocol WritingCommand: Command {}

/// Registers dv with git.
enum GitRegistration {
  /// Registers the drivers of the clone that the current directory is in, unless they are, and says so once.
  ///
  /// It never fails: a command that cannot do this, as in a repository of somebody else's, still can do its own work.
  static func ensure(quiet: Bool) {
    guard let repository = try? Here.repository(),
      let program = try? GitProgram(searchPath: ProcessEnvironment.variable("PATH")),
      let isNew = try? RegisterDrivers(calling: program).run(in: repository)
    else { return }
    if isNew, !quiet {
      StandardError.write(
        "Told git to show and merge pointers with dv (diff.dv and merge.dv in this clone's configuration).\n")
    }
  }
}
