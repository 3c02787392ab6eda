public import DVLineage
public import DVObject
public import DVPipeline

/// What became of reproducing runs.
public struct ReproductionReport: Sendable {
  /// One output, as recorded and as made again.
  public struct Output: Sendable {
    public let path: StagePath
    public let recorded: ContentState
    public internal(set) var made: ContentState?
    public internal(set) var verdict: ReproductionVerdict
    /// The first difference, or what makes both equivalent.
    public internal(set) var reason: String?
    /// The largest relative difference between two numbers, if any was found.
    public internal(set) var largest: Double?
  }

  /// A value of a metric.
  public struct Metric: Sendable {
    public let file: StagePath
    public let name: String
    public let recorded: JSONValue?
    public let made: JSONValue?
  }

  /// What became of one run.
  public struct Item: Sendable {
    public let step: ReproductionPlan.Step
    public internal(set) var verdict = ReproductionVerdict.missing
    /// Why it was not carried out, or failed.
    public internal(set) var reason: String?
    public internal(set) var outputs: [Output] = []
    public internal(set) var metrics: [Metric] = []
    /// How often it was run, and how many different results that gave.
    public internal(set) var attempts = 0
    public internal(set) var results = 0
    /// How long the last run took, in milliseconds.
    public internal(set) var duration: Int64 = 0
    public internal(set) var exitCode: Int64?
    public internal(set) var signal: Int64?
    public internal(set) var log: RunRecord.StoredObject?
    /// The record of the reproduction; `nil` if there was nothing to record.
    public internal(set) var record: ObjectID?

    /// Whether it came out differently where something that may be why is other than it was.
    public var isUnderOtherEnvironment: Bool {
      verdict == .different && (step.differences?.contains { $0.severity != .low } ?? false)
    }
  }

  public internal(set) var plan: ReproductionPlan
  public internal(set) var items: [Item] = []
  public internal(set) var wasInterrupted = false

  /// The worst of all.
  public var verdict: ReproductionVerdict { items.map(\.verdict).max() ?? .missing }
}
