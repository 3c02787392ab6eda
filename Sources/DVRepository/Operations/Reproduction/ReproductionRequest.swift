public import DVContent

/// What is to be reproduced, and how.
public struct ReproductionRequest: Sendable {
  /// A commit, in git's syntax, the start of a run's ID, or `MODEL@VERSION`.
  public var target: String
  /// Names of stages, or outputs; all that the target names if there is none.
  public var stages: [String] = []
  /// How far numbers may be apart, before what stages declare.
  public var tolerances = Tolerances()
  /// Whether stages are fed with what was made again rather than with what was recorded.
  public var isChained = false
  /// Whether the commit's code is run rather than the run's.
  public var isAsCommitted = false
  /// Whether commands get no network.
  public var isOffline = false
  /// How often each stage is run.
  public var attempts = 1
  /// Whether only to plan.
  public var isDry = false

  public init(_ target: String) { self.target = target }
}
