public import DVObject

/// All that says what a run of a stage makes. Two runs with the same key are interchangeable.
///
/// The key is the SHA-256 of this in canonical JSON, see `docs/format/record.md`. Not in it: the stage's name, host, user
/// and clock, and what the stage does not declare.
public struct StageKey: Hashable, Sendable {
  /// The version of the key: another one makes other keys.
  public static let version: Int64 = 1

  public let commands: [String]
  public let workingDirectory: StagePath
  public let inputs: [PathState]
  public let parameters: [ParameterValue]
  public let outputs: [Output]
  /// What the stage declares of its surroundings: names and what was found.
  public let environment: [(name: String, value: String)]

  public init(
    _ stage: Stage, inputs: [PathState], parameters: [ParameterValue], environment: [(name: String, value: String)]
  ) {
    commands = stage.commands
    workingDirectory = stage.workingDirectory
    self.inputs = inputs.sorted { $0.path < $1.path }
    self.parameters = parameters.sorted { ($0.file, $0.name) < ($1.file, $1.name) }
    outputs = stage.outputs.sorted { $0.path < $1.path }
    self.environment = environment.sorted { $0.name < $1.name }
  }

  /// The value whose canonical encoding is hashed.
  public var json: JSONValue {
    var object = JSONObject()
    object["key"] = .integer(Self.version)
    object["cmd"] = .array(commands.map { .string($0) })
    object["wdir"] = .string(workingDirectory.text)
    object["inputs"] = .array(
      inputs.map { [.string($0.path.text), .string($0.content.mode.rawValue), .string($0.content.oid.hex)] })
    object["params"] = .array(parameters.map { [.string($0.file.text), .string($0.name), $0.value] })
    object["outs"] = .array(
      outputs.map { output in
        var flags: [JSONValue] = []
        if !output.isCached { flags.append("no-cache") }
        if output.isPersistent { flags.append("persist") }
        return [.string(output.path.text), .array(flags)]
      })
    if !environment.isEmpty { object["env"] = .array(environment.map { [.string($0.name), .string($0.value)] }) }
    return .object(object)
  }

  /// The key.
  public var id: ObjectID { ObjectID(hashing: json.canonical().span) }

  public static func == (left: Self, right: Self) -> Bool { left.json == right.json }

  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
