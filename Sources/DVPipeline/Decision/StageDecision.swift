public import DVObject

/// What `dv repro` does about one stage, and why.
public enum StageDecision: Sendable, Equatable {
  /// A run with the same key made what is there.
  case upToDate(record: ObjectID)
  /// The stage is frozen.
  case frozen
  /// A run with the same key is recorded, and its outputs can be had without running.
  case restore(record: ObjectID, because: Reason)
  case run(because: Reason)
  /// Another stage must be carried out first: then it is decided.
  case wait(for: String)

  /// The first difference found between a stage and its last run.
  public enum Reason: Sendable, Equatable {
    case neverRun
    /// Outputs are there, and nothing says which run made them.
    case unrecorded
    /// As it is now it ran before, and did not come to its end.
    case lastRunFailed(record: ObjectID)
    case forced
    case alwaysChanged
    /// Nothing says when it would have to run again.
    case noInputs
    case commandChanged
    case workingDirectoryChanged
    case inputChanged(path: StagePath)
    case inputAdded(path: StagePath)
    case inputRemoved(path: StagePath)
    case parameterChanged(file: StagePath, name: String, old: JSONValue?, new: JSONValue?)
    case outputsDeclaredOtherwise
    case environmentChanged(name: String)
    /// Something that the stage does not declare is otherwise than at its run, and was asked not to be.
    case surroundingsDiffer(name: String, old: String?, new: String?)
    /// Nobody knows what was otherwise at its run, and was asked to be as it is here.
    case surroundingsUnknown
    case outputMissing(path: StagePath)
    case outputChanged(path: StagePath)
  }
}

/// What is recorded of a run that succeeded, as far as decisions need it.
public struct PastRun: Sendable {
  public let record: ObjectID
  public let key: ObjectID
  public let commands: [String]
  public let workingDirectory: StagePath
  public let inputs: [PathState]
  public let parameters: [ParameterValue]
  public let outputs: [PathState]
  public let environment: [(name: String, value: String)]
  /// When it ended, in milliseconds since 1970.
  public let end: Int64
  /// Whether pointers of the workspace name it as the run that made them.
  public var isNamedByPointers = false
  /// Whether HEAD's history has it.
  public var isInHistory = false
  /// Whether the bytes of all its outputs can be had.
  public var canBeRestored = false

  public init(
    record: ObjectID, key: ObjectID, commands: [String], workingDirectory: StagePath, inputs: [PathState],
    parameters: [ParameterValue], outputs: [PathState], environment: [(name: String, value: String)], end: Int64
  ) {
    self.record = record
    self.key = key
    self.commands = commands
    self.workingDirectory = workingDirectory
    self.inputs = inputs
    self.parameters = parameters
    self.outputs = outputs
    self.environment = environment
    self.end = end
  }
}
