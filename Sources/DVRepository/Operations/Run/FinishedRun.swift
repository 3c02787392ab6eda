public import DVLineage
public import DVObject
public import DVPipeline

/// A run that has ended and is recorded.
public struct FinishedRun: Sendable {
  public let stage: String?
  public let record: ObjectID
  public let run: RunRecord
  /// Outputs that the command did not make.
  public let missing: [StagePath]
  /// Whether the record was staged for git.
  public let isStaged: Bool

  public var isComplete: Bool { run.status == .complete }
}
