import DVFile
import DVRepository
import SystemPackage

/// Shows on standard error how an operation gets on.
struct ProgressDisplay {
  private let style: ProgressLine.Style
  /// Whether to say at the end how many requests were made.
  private let tellsRequests: Bool

  /// Chooses a bar on a terminal and calm lines elsewhere.
  ///
  /// - Parameter verbose: whether to say at the end how many requests were made to remotes.
  init(quiet: Bool, verbose: Bool = false) {
    tellsRequests = verbose
    style = quiet ? .silent : Terminal.isTerminal(.standardError) ? .bar : .lines
  }

  init(_ options: GlobalOptions) { self.init(quiet: options.quiet, verbose: options.verbose) }

  /// Runs `operation` and shows what it counts in the sink it is given. The line is wiped before this returns or throws.
  func show<Report: Sendable>(
    _ operation: @Sendable @escaping (ProgressSink) async throws -> Report
  ) async throws -> Report {
    let sink = ProgressSink()
    // Of an operation that fails too: the requests may be why.
    defer {
      if tellsRequests, let line = RequestText.line(sink.requests) { StandardError.write(line + "\n") }
    }
    guard style != .silent else { return try await operation(sink) }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await draw(sink) }
      // Leaving the group waits for the drawing task, whose last act is to wipe.
      defer { group.cancelAll() }
      return try await operation(sink)
    }
  }

  /// Draws until it is cancelled.
  private func draw(_ sink: ProgressSink) async {
    var line = ProgressLine(style)
    let clock = ContinuousClock()
    let start = clock.now
    while !Task.isCancelled {
      let columns = Terminal.width(.standardError) ?? 80
      if let text = line.update(sink.progress, at: clock.now - start, columns: columns) { StandardError.write(text) }
      do { try await clock.sleep(for: ProgressLine.redrawInterval) } catch { break }
    }
    if let text = line.finish() { StandardError.write(text) }
  }
}
