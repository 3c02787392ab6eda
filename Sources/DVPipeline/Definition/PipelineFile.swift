public import DVObject

/// What a `dv.yaml` declares, after templating.
public struct PipelineFile: Sendable {
  /// The name of such files.
  public static let name = "dv.yaml"

  /// Where it lies.
  public private(set) var path: StagePath
  /// In the order of the file; those made by `foreach` and `matrix` one by one.
  public internal(set) var stages: [Stage] = []
  /// Files of metrics besides those that stages make.
  public internal(set) var metrics: [StagePath] = []
  /// Files of parameters besides those that stages read.
  public internal(set) var parameters: [StagePath] = []
  /// Plots declared at the top: an identity, such as a file, and how it is drawn.
  public internal(set) var plots: [(name: String, properties: JSONObject)] = []
  /// Models and datasets that have a name.
  public internal(set) var artifacts: JSONObject = JSONObject()
  /// What the file says that this dv does not act on.
  public internal(set) var warnings: [String] = []

  /// Reads a file's content of any path of the working tree; `nil` if there is none.
  public typealias FileReading = (StagePath) throws(PipelineError) -> [UInt8]?

  /// Reads `dv.yaml`.
  ///
  /// - Parameters:
  ///   - path: where it lies.
  ///   - settings: how mappings become options in commands.
  ///   - read: reads the files of parameters that `vars` names.
  /// - Throws: ``PipelineError`` with the line for what does not follow the schema.
  public init(
    parsing bytes: [UInt8], at path: StagePath, settings: ParsingSettings = ParsingSettings(), read: FileReading
  ) throws(PipelineError) {
    self.path = path
    guard let root = try YAMLReader.read(bytes, named: path.text) else { return }
    var loading = PipelineLoading(path: path, settings: settings)
    self = try loading.load(root, into: self, read)
  }
}

/// Settings of how a `dv.yaml` is read, named like DVC's `parsing.bool` and `parsing.list`.
public struct ParsingSettings: Hashable, Sendable {
  /// Whether a false option is written `--no-name` rather than left out: `boolean_optional`.
  public var writesFalse = false
  /// Whether a list is written `--name a --name b` rather than `--name a b`: `append`.
  public var repeatsName = false

  public init() {}
}
