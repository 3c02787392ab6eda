public import DVLineage
public import DVObject
public import DVPipeline

/// What became of stages.
public struct ReproduceReport: Sendable {
  public struct Item: Sendable {
    public let stage: String
    /// `nil` if it was not decided, because one that it needs failed.
    public let decision: StageDecision?
    /// How the run ended, if there was one.
    public let status: RunRecord.Status?
    /// The record of the run, new or found.
    public let record: ObjectID?
    /// What of the surroundings is likely to matter and otherwise here than at that run.
    public let differences: [EnvironmentDifference]

    /// Whether nothing had to be done.
    public var isUpToDate: Bool {
      switch decision {
      case .upToDate?, .frozen?: true
      default: false
      }
    }
  }

  /// In order.
  public internal(set) var items: [Item] = []
  public internal(set) var wasInterrupted = false
  /// Outputs of stages that are up to date which are not checked out: their pointers count.
  public internal(set) var absent: [StagePath] = []

  /// Whether a stage failed, or could not be carried out for that reason.
  public var hasFailures: Bool {
    items.contains { $0.decision == nil || ($0.status.map { $0 != .complete } ?? false) }
  }

  /// Whether nothing had to be done.
  public var isUpToDate: Bool {
    items.allSatisfy(\.isUpToDate)
  }
}
