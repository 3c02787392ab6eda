public import DVLineage
public import DVObject
public import DVPipeline
public import DVWorkspace

/// What it takes to reproduce runs.
public struct ReproductionPlan: Sendable {
  /// Where something can be had.
  public enum Place: Hashable, Sendable {
    /// In the code that is run.
    case code
    /// In the local store.
    case here
    /// On a remote, by its name.
    case remote(String)
    /// A stage makes it again before.
    case stage(String)
    case nowhere
  }

  /// A file or directory that a stage starts from.
  public struct Input: Sendable {
    public let path: StagePath
    public let content: ContentState
    public internal(set) var place: Place
  }

  /// One run that is to be made again.
  public struct Step: Sendable {
    public let id: ObjectID
    public let run: RunRecord
    /// The stage's address, or the command.
    public let name: String
    public internal(set) var inputs: [Input] = []
    /// Where the code is.
    public internal(set) var code = Place.nowhere
    /// What differs between the recorded environment and this one, the gravest first; `nil` if the recorded one cannot be had.
    public internal(set) var differences: [EnvironmentDifference]?
    /// What the stage declares of its environment and is not so here.
    public internal(set) var unmet: [EnvironmentDifference] = []
    /// Environments of Python in the user's working tree that the commands name, and that are linked to: git versions none of them.
    public internal(set) var borrowed: [TreePath] = []
    /// Interpreters that the commands name and that are neither in the code nor in the user's working tree.
    public internal(set) var missingInterpreters: [TreePath] = []
    /// Inputs and commands of which the commit has another version than the one that ran.
    public internal(set) var mismatches: [String] = []

    /// How long the run took, in milliseconds.
    public var duration: Int64 { max(0, run.end - run.start) }
    /// What cannot be had, by path; `code` stands for the code.
    public var missing: [String] {
      (code == .nowhere ? ["the code"] : []) + inputs.filter { $0.place == .nowhere }.map(\.path.text)
    }
  }

  /// The commit that was asked for, or that has the run's record, 40 hex digits.
  public internal(set) var commit: String?
  /// In the order in which they are run.
  public internal(set) var steps: [Step] = []
  /// What could not be found out, in words: a remote that does not answer.
  public internal(set) var problems: [String] = []

  public var isComplete: Bool { steps.allSatisfy { $0.missing.isEmpty } }
}
