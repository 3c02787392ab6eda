public import DVObject
public import DVPipeline

/// What is recorded of one run of a command.
public struct RunRecord: Sendable {
  /// How a run ended.
  public enum Status: String, Hashable, Sendable {
    /// The command ended with 0 and all outputs are there.
    case complete
    case failed
    /// By Ctrl-C or a request to terminate.
    case interrupted
    /// By a signal, such as the system's when memory is short.
    case killed
    /// dv itself was killed: nobody knows how the command ended.
    case abandoned
    /// Somebody vouched that what is there is what a run would make.
    case asserted
  }

  public static let type = "run"
  public static let version: Int64 = 1

  /// The stage's address; `nil` for a run without one.
  public var stage: String?
  public var key: ObjectID?
  public var commands: [String] = []
  public var workingDirectory = StagePath.root
  public var inputs: [PathState] = []
  public var parameters: [ParameterValue] = []
  public var outputs: [PathState] = []
  /// Which of the outputs git tracks rather than dv.
  public var uncached: Set<StagePath> = []
  /// What the stage declares of its surroundings.
  public var declared: [(name: String, value: String)] = []
  /// The values in files of metrics.
  public var metrics: [(file: StagePath, values: JSONValue)] = []
  /// Files that the run read or wrote and its stage does not declare; `nil` if nobody looked.
  public var undeclared: [Undeclared]?
  public var status = Status.complete
  /// What the command exited with; `nil` if a signal ended it or nobody knows.
  public var exitCode: Int64?
  /// The signal that ended it.
  public var signal: Int64?
  /// What the command logged by name: `params`, and `metrics` with their last values.
  public var logged: JSONObject?
  /// All that it logged, in order, as an object of the store.
  public var series: StoredObject?
  /// Milliseconds since 1970.
  public var start: Int64 = 0
  /// Milliseconds since 1970.
  public var end: Int64 = 0
  /// Processor time, in milliseconds.
  public var processorTime: Int64?
  /// The most memory that one process held, in bytes.
  public var peakMemory: Int64?
  /// The tree of the code that ran.
  public var code: StoredObject?
  /// The git commit that was checked out, 40 hex digits.
  public var base: String?
  /// Objects of the store with the environment and with what was printed.
  public var environment: StoredObject?
  public var log: StoredObject?
  public var seed: String?
  /// As git names its author.
  public var user: String?
  public var host: String?
  /// The place in the chain of this clone's records.
  public var chain: ChainLink?
  /// Whether some of it is in an object that was not at hand.
  public internal(set) var isPartial = false

  public init() {}

  /// An object of the store that a record names: of a tree its root node and the bytes of all its files.
  public struct StoredObject: Hashable, Sendable {
    public let id: ObjectID
    /// In bytes.
    public let size: UInt64

    public init(_ id: ObjectID, size: UInt64) {
      self.id = id
      self.size = size
    }
  }

  /// A file that a run used and its stage does not declare.
  public struct Undeclared: Hashable, Sendable {
    /// Relative to the working tree's root; of a file outside absolute, or from `~` on in the user's home.
    public let path: String
    /// Whether the run wrote it, rather than read it.
    public let isOutput: Bool

    public init(path: String, isOutput: Bool) {
      self.path = path
      self.isOutput = isOutput
    }
  }

  /// Where a record stands among those that a clone wrote, so that a gap shows.
  public struct ChainLink: Hashable, Sendable {
    public var clone: String
    /// From 1 on.
    public var sequence: Int64
    public var previous: ObjectID?

    public init(clone: String, sequence: Int64, previous: ObjectID?) {
      self.clone = clone
      self.sequence = sequence
      self.previous = previous
    }
  }
}

extension RunRecord {
  /// What decisions about stages need of a run that is complete; `nil` of others, and where parts are not at hand.
  public func pastRun(_ id: ObjectID) -> PastRun? {
    guard status == .complete || status == .asserted, let key, !isPartial else { return nil }
    return PastRun(
      record: id, key: key, commands: commands, workingDirectory: workingDirectory, inputs: inputs,
      parameters: parameters, outputs: outputs, environment: declared, end: end)
  }
}
