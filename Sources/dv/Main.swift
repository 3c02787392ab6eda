import ArgumentParser
import DVFile
import DVRepository

/// The program: parses the arguments, runs one command, and exits. The only file that exits.
@main
struct DV: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dv",
    abstract: "Version datasets and model weights beside git, and know what made them.",
    version: "0.1.0",
    subcommands: [
      AddCommand.self,
      AuditCommand.self,
      CatCommand.self,
      CheckoutCommand.self,
      ConfigCommand.self,
      DirectedGraphCommand.self,
      DiffCommand.self,
      DiskUsageCommand.self,
      DoctorCommand.self,
      EraseCommand.self,
      ExperimentCommand.self,
      FetchCommand.self,
      FsckCommand.self,
      GarbageCollectionCommand.self,
      GetCommand.self,
      GitDriverCommand.self,
      HashCommand.self,
      ImpactCommand.self,
      ImportCommand.self,
      ImportURLCommand.self,
      InitCommand.self,
      LineageCommand.self,
      ListCommand.self,
      LogCommand.self,
      MetricsCommand.self,
      ModelCommand.self,
      MoveCommand.self,
      ParametersCommand.self,
      PinCommand.self,
      PlotsCommand.self,
      PullCommand.self,
      PushCommand.self,
      RemoteCommand.self,
      RemoveCommand.self,
      RepairCommand.self,
      ReproduceCommand.self,
      ReproduceStagesCommand.self,
      RunCommand.self,
      RunsCommand.self,
      SignCommand.self,
      StageCommand.self,
      StatusCommand.self,
      UpdateCommand.self,
      VerifyCommand.self,
    ])

  // Declared here too, so that `dv -C DIR status` works like `dv status -C DIR`.
  @OptionGroup var options: GlobalOptions

  static func main() async {
    // Parsed before anything is started, so that `--version` and `--help` cost no thread.
    let command: any ParsableCommand
    do {
      command = try parseAsRoot(ArgumentText.ofProcess)
      if let command = command as? any Command { try command.options.enterDirectory() }
      if let command = command as? any WritingCommand { GitRegistration.ensure(quiet: command.options.quiet) }
    } catch {
      end(report(error))
    }
    Machine.limitHeaps()
    let task = start(command)
    // Every operation may be killed at any point and leaves a usable state. The grace is for removing temporary files
    // and for wiping the progress line.
    do {
      try Interruption.onFirst {
        task.cancel()
      } afterGrace: {
        end(report(CancellationError()))
      }
    } catch {
      // Then Ctrl-C has its usual effect, which is as safe, only less tidy.
    }
    end(await task.value)
  }

  /// Runs `command` in the one task without a parent: what cancels it is a signal, which no task sends.
  private nonisolated static func start(_ command: sending any ParsableCommand) -> Task<Int32, Never> {
    Task {
      var command = command
      let stores = OpenedStores()
      let code: Int32
      do {
        try await LockPatience.$current.withValue(patience()) {
          try await OpenedStores.$current.withValue(stores) {
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
          }
        }
        code = ExitCode.done.rawValue
      } catch {
        code = report(error)
      }
      for warning in stores.warnings { StandardError.write(SafeText.message("warning: \(warning)\n")) }
      return code
    }
  }

  /// How long dv waits for locks of other processes: `DV_LOCK_TIMEOUT` seconds, 300 by default.
  private static func patience() -> LockPatience {
    let seconds = ProcessEnvironment.variable("DV_LOCK_TIMEOUT").flatMap { UInt32($0) }
    return LockPatience(limit: seconds.map { .seconds(Int64($0)) } ?? LockPatience.standardLimit) { path in
      StandardError.write(SafeText.message("Waiting for another process that holds '\(SafeText.name(path.rawBytes))'…\n"))
    }
  }

  /// Tells the person about `error`, and returns what to tell the calling program.
  private static func report(_ error: any Error) -> Int32 {
    if error is StandardOutput.Closed { return ExitCode.outputClosed.rawValue }
    switch exitCode(for: error) {
    case .success:
      // Help or a version that was asked for is an answer.
      do { try StandardOutput.write(fullMessage(for: error) + "\n") } catch { return ExitCode.outputClosed.rawValue }
      return ExitCode.done.rawValue
    case .validationFailure:
      // The parser begins with "Error:", dv with "error:".
      let text = fullMessage(for: error)
      StandardError.write(SafeText.message(text.hasPrefix("Error:") ? "e" + text.dropFirst() : text) + "\n")
      return ExitCode.usage.rawValue
    default:
      break
    }
    if let answer = error as? ExitCode { return answer.rawValue }
    if let failure = error as? CommandFailure { return failure.code }
    let text = ErrorText(error)
    StandardError.write(text.text)
    return text.exitCode.rawValue
  }

  private static func end(_ code: Int32) -> Never {
    exit(withError: ArgumentParser.ExitCode(code))
  }
}
