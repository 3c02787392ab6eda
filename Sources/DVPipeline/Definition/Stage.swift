public import DVObject

/// A step of a pipeline as `dv.yaml` has it after templating: a command, what it reads and what it makes.
public struct Stage: Hashable, Sendable {
  /// Its name in its file, such as `train` or `train@small`.
  public let name: String
  /// The `dv.yaml` it stands in.
  public let file: StagePath
  /// On which line, from 1 on.
  public let line: Int
  /// The commands, run one after another by a shell until one fails.
  public var commands: [String]
  public var workingDirectory: StagePath
  public var inputs: [StagePath] = []
  public var parameters: [ParameterSelection] = []
  public var outputs: [Output] = []
  public var environment = DeclaredEnvironment()
  /// Whether `dv repro` leaves it alone.
  public var isFrozen = false
  /// Whether it runs every time.
  public var isAlwaysChanged = false
  public var description: String?
  public var meta: JSONValue?

  public init(name: String, file: StagePath, line: Int = 1, commands: [String], workingDirectory: StagePath) {
    self.name = name
    self.file = file
    self.line = line
    self.commands = commands
    self.workingDirectory = workingDirectory
  }

  /// The name by which the whole repository knows it: `train`, or `models/dv.yaml:train` for a file elsewhere.
  public var address: String { file.text == PipelineFile.name ? name : "\(file.text):\(name)" }

  /// The name without what a repetition adds: `train` of `train@small`.
  public var group: String { name.split(separator: "@", maxSplits: 1).first.map(String.init) ?? name }

  /// All files that it reads: inputs, files of parameters and lock files, in order.
  public var reads: [StagePath] {
    (inputs + parameters.map(\.file) + environment.lockFiles).reduce(into: []) { found, path in
      if !found.contains(path) { found.append(path) }
    }
  }

  /// Whether nothing says when it would have to run again.
  public var hasNoInputs: Bool { inputs.isEmpty && parameters.isEmpty && environment.isEmpty }
}
