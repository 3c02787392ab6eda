import DVFile
import Synchronization
import SystemPackage

/// The commands of one run, ready to be carried out on any task.
struct RunJob: Sendable {
  let stage: String?
  /// Shell command lines, or one program with its arguments.
  let commands: [[[UInt8]]]
  /// The commands as people read them.
  let texts: [String]
  let environment: [[UInt8]]
  let directory: FilePath
  /// Where what is printed is gathered; `nil` to keep nothing.
  let log: FilePath?
  /// Where the commands may log parameters and metrics, as the variable `DV_RUN_LOG` tells them; `nil` if they may not.
  var series: FilePath?
  /// What runs if this process is killed while a command runs, once that has ended.
  var heir: ChildProcess.Heir?
  /// Writes down which files the commands open; `nil` if that is not asked for.
  var tracer: AccessTracer?

  /// The most bytes of a log; what is printed beyond is shown and not kept.
  static let logLimit = 256 << 20

  /// How the commands ended.
  struct Result: Sendable {
    /// Of the last command that ran.
    var ending: ChildProcess.Ending
    var wasInterrupted = false
    /// Milliseconds since 1970.
    var start: Int64 = 0
    var end: Int64 = 0
    var processorMilliseconds: Int64 = 0
    var peakMemory: UInt64 = 0
    /// Why a command could not be started.
    var failure: FileError?

    var succeeded: Bool { ending == .exited(0) && failure == nil && !wasInterrupted }
  }

  /// Runs the commands one after another until one fails. What fails is a result, not an error.
  func run(_ output: RunOutput) async -> Result {
    let start = Moment.milliseconds
    var result = Result(ending: .exited(0), start: start)
    let log = LogFile(log, limit: Self.logLimit)
    for (number, (command, text)) in zip(commands, texts).enumerated() {
      output.note(.started(stage: stage, command: text))
      do throws(FileError) {
        let stage = stage
        let words = tracer?.traced(command, number: number) ?? command
        let outcome = try await ChildProcess(
          arguments: words, environment: environment, directory: directory, endsWithParent: true, heir: heir)
          .run { stream, bytes in
            log.append(bytes)
            output.write(stage, stream, bytes)
          }
        result.ending = outcome.ending
        result.wasInterrupted = outcome.wasInterrupted
        result.processorMilliseconds += outcome.processorMilliseconds
        result.peakMemory = max(result.peakMemory, outcome.peakMemory)
      } catch {
        result.failure = error
        result.ending = .exited(127)
      }
      if !result.succeeded { break }
    }
    log.close()
    result.end = max(start, Moment.milliseconds)
    return result
  }
}

/// The clock on the wall.
enum Moment {
  /// Milliseconds since 1970.
  static var milliseconds: Int64 {
    let now = FileTime.now
    return now.seconds * 1000 + Int64(now.nanoseconds / 1_000_000)
  }
}

/// A file that gathers what commands print. That it cannot be written does not stop a run: the log ends there then.
private final class LogFile: Sendable {
  private struct State: ~Copyable {
    var writer: FileWriter?
    var count = 0
  }

  private let state: Mutex<State>
  private let limit: Int

  init(_ path: FilePath?, limit: Int) {
    if let path {
      state = Mutex(State(writer: try? FileWriter(creating: path, mode: 0o600)))
    } else {
      state = Mutex(State(writer: nil))
    }
    self.limit = limit
  }

  func append(_ bytes: Span<UInt8>) {
    state.withLock { state in
      guard state.count + bytes.count <= limit else { return }
      state.count += bytes.count
      try? state.writer?.write(bytes)
    }
  }

  func close() {
    state.withLock { state in
      let writer = state.writer.take()
      if let writer { try? writer.close() }
    }
  }
}
