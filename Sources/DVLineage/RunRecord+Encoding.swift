public import DVObject
import DVPipeline

extension RunRecord {
  /// Members in the order in which they leave a record that is too large: what only people ask for goes first.
  static let movable = ["undeclared", "metrics", "logged", "params", "inputs", "env", "cmd", "outputs", "wdir", "stage", "user", "host", "seed"]

  /// All there is of the run as one value.
  public var json: JSONObject {
    var json = JSONObject()
    json["type"] = .string(Self.type)
    json["version"] = .integer(Self.version)
    json["status"] = .string(status.rawValue)
    json["stage"] = stage.map { .string($0) }
    json["key"] = key.map { .string($0.hex) }
    json["cmd"] = .array(commands.map { .string($0) })
    if !workingDirectory.isRoot { json["wdir"] = .string(workingDirectory.text) }
    if !inputs.isEmpty { json["inputs"] = .array(inputs.map { Self.json($0) }) }
    if !parameters.isEmpty {
      json["params"] = .array(parameters.map { [.string($0.file.text), .string($0.name), $0.value] })
    }
    if !outputs.isEmpty { json["outputs"] = .array(outputs.map { Self.json($0, isUncached: uncached.contains($0.path)) }) }
    if !declared.isEmpty { json["env"] = .array(declared.map { [.string($0.name), .string($0.value)] }) }
    if !metrics.isEmpty { json["metrics"] = .array(metrics.map { [.string($0.file.text), $0.values] }) }
    json["logged"] = logged.map { .object($0) }
    json["series"] = series.map { Self.json($0) }
    json["undeclared"] = undeclared.map { files in
      .array(files.map { [.string($0.isOutput ? "out" : "in"), .string($0.path)] })
    }
    json["exit"] = exitCode.map { .integer($0) }
    json["signal"] = signal.map { .integer($0) }
    json["start"] = .integer(start)
    json["end"] = .integer(end)
    json["cpu"] = processorTime.map { .integer($0) }
    json["memory"] = peakMemory.map { .integer($0) }
    json["code"] = code.map { Self.json($0) }
    json["base"] = base.map { .string($0) }
    json["environment"] = environment.map { Self.json($0) }
    json["log"] = log.map { Self.json($0) }
    json["seed"] = seed.map { .string($0) }
    json["user"] = user.map { .string($0) }
    json["host"] = host.map { .string($0) }
    json["chain"] = chain?.json
    return json
  }

  static func json(_ object: StoredObject) -> JSONValue {
    [.string(object.id.hex), .integer(Int64(clamping: object.size))]
  }

  private static func json(_ state: PathState, isUncached: Bool = false) -> JSONValue {
    var json = JSONObject()
    json["path"] = .string(state.path.text)
    json["oid"] = .string(state.content.oid.hex)
    if state.content.mode != .file { json["mode"] = .string(state.content.mode.rawValue) }
    json["size"] = .integer(Int64(clamping: state.content.size))
    if isUncached { json["cache"] = false }
    return .object(json)
  }

  /// Returns the record and, if not all of it fits, the object with the rest, which must be stored first.
  public func encoded() throws(RecordError) -> (record: Record, details: RecordDetails?) {
    try RecordDetails.split(json, moving: Self.movable)
  }
}
