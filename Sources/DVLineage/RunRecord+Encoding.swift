public import DVObject
import DVPipeline

/// The members of a run that did not fit its record, as an object of the store.
public struct RecordDetails: Sendable {
  public let id: ObjectID
  public let bytes: [UInt8]
}

extension RunRecord {
  /// Members in the order in which they leave a record that is too large: what only people ask for goes first.
  static let movable = ["metrics", "params", "inputs", "env", "cmd", "outputs", "wdir", "stage", "user", "host", "seed"]

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
    if let chain {
      json["chain"] = .array(
        [.string(chain.clone), .integer(chain.sequence)] + (chain.previous.map { [.string($0.hex)] } ?? []))
    }
    return json
  }

  private static func json(_ object: StoredObject) -> JSONValue {
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
    var json = json
    if JSONValue.object(json).canonical().count <= Record.maximumByteCount { return (try Record(json), nil) }
    var rest = JSONObject()
    for key in Self.movable {
      guard let value = json[key] else { continue }
      rest[key] = value
      json[key] = nil
      let bytes = JSONValue.object(rest).canonical()
      let details = RecordDetails(id: ObjectID(hashing: bytes.span), bytes: bytes)
      json["details"] = [.string(details.id.hex), .integer(Int64(bytes.count))]
      if JSONValue.object(json).canonical().count <= Record.maximumByteCount { return (try Record(json), details) }
    }
    return (try Record(json), nil)
  }
}
