public import DVFile

/// Where what commands print goes as they print it, for whoever shows it.
public struct RunOutput: Sendable {
  /// Called with the stage's address, or nothing for a run without one, on many threads.
  public let write: @Sendable (_ stage: String?, ChildProcess.Stream, Span<UInt8>) -> Void
  /// Called with one line about what is done: a decision, a command that starts.
  public let note: @Sendable (RunNote) -> Void

  public init(
    write: @escaping @Sendable (String?, ChildProcess.Stream, Span<UInt8>) -> Void,
    note: @escaping @Sendable (RunNote) -> Void
  ) {
    self.write = write
    self.note = note
  }
}
