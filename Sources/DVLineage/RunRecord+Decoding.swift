public import DVObject
import DVPipeline

extension RunRecord {
  /// The most bytes of what does not fit a record.
  public static let maximumDetailByteCount = 64 << 20

  /// The object with what does not fit a record, and how many bytes it has; `nil` if all is in it.
  public static func details(of record: Record) -> (id: ObjectID, size: UInt64)? {
    guard let details = record.json["details"]?.array, details.count == 2, let id = try? ObjectID(hex: details[0].string ?? ""),
      let size = details[1].integer, (0...Int64(maximumDetailByteCount)).contains(size)
    else { return nil }
    return (id, UInt64(size))
  }

  /// Reads the record of a run.
  ///
  /// - Parameter details: the bytes of ``details(of:)``; `nil` if they are not at hand, and then ``isPartial`` is set.
  /// - Throws: ``RecordError/Code/malformed``, ``RecordError/Code/altered`` if `details` is another object.
  public init(_ record: Record, details: [UInt8]? = nil) throws(RecordError) {
    guard record.type == Self.type, record.json["version"]?.integer == Self.version else {
      throw RecordError(
        .malformed, "The record \(record.id.shortHex) is no run of version \(Self.version). A newer dv may know it.")
    }
    var json = record.json
    self.init()
    if let (id, _) = Self.details(of: record) {
      if let details {
        guard ObjectID(hashing: details.span) == id else {
          throw RecordError(.altered, "The details of the record \(record.id.shortHex) were altered.")
        }
        do {
          let rest = try JSONValue(
            canonical: details, limit: Self.maximumDetailByteCount, named: "The details of \(record.id.shortHex)")
          for member in rest.object?.members ?? [] { json[member.key] = member.value }
        } catch {
          throw RecordError(.malformed, error.message, cause: error)
        }
      } else {
        isPartial = true
      }
    }
    let reader = RunMembers(id: record.id, json: json)
    guard let status = Status(rawValue: try reader.text("status")) else {
      throw reader.failure("status")
    }
    self.status = status
    stage = json["stage"]?.string
    key = try reader.id("key")
    commands = json["cmd"]?.array?.compactMap(\.string) ?? []
    workingDirectory = try reader.path(json["wdir"]?.string ?? "")
    inputs = try reader.states("inputs")
    parameters = try reader.parameters()
    outputs = try reader.states("outputs")
    uncached = try reader.uncached()
    declared = try reader.triples("env", count: 2).map { ($0[0].string ?? "", $0[1].string ?? "") }
    for pair in try reader.triples("metrics", count: 2) {
      metrics.append((try reader.path(pair[0].string ?? ""), pair[1]))
    }
    logged = json["logged"]?.object
    series = try reader.object("series")
    if json["undeclared"] != nil {
      undeclared = try reader.triples("undeclared", count: 2).map {
        Undeclared(path: $0[1].string ?? "", isOutput: $0[0].string == "out")
      }
    }
    exitCode = json["exit"]?.integer
    signal = json["signal"]?.integer
    start = try reader.integer("start")
    end = try reader.integer("end")
    processorTime = json["cpu"]?.integer
    peakMemory = json["memory"]?.integer
    code = try reader.object("code")
    base = json["base"]?.string
    environment = try reader.object("environment")
    log = try reader.object("log")
    seed = json["seed"]?.string
    user = json["user"]?.string
    host = json["host"]?.string
    if let link = json["chain"]?.array {
      guard link.count >= 2, let clone = link[0].string, let sequence = link[1].integer else { throw reader.failure("chain") }
      let previous = link.count > 2 ? try? ObjectID(hex: link[2].string ?? "") : nil
      chain = ChainLink(clone: clone, sequence: sequence, previous: previous)
    }
  }
}

/// Takes members of a run's record for what they should be.
private struct RunMembers {
  let id: ObjectID
  let json: JSONObject

  func failure(_ key: String) -> RecordError {
    RecordError(.malformed, "The record \(id.shortHex) is no run that can be read: '\(key)' is missing or makes no sense.")
  }

  func text(_ key: String) throws(RecordError) -> String {
    guard let text = json[key]?.string else { throw failure(key) }
    return text
  }

  func integer(_ key: String) throws(RecordError) -> Int64 {
    guard let value = json[key]?.integer else { throw failure(key) }
    return value
  }

  /// An object ID; `nil` if there is none.
  func id(_ key: String) throws(RecordError) -> ObjectID? {
    guard let value = json[key] else { return nil }
    guard let text = value.string, let id = try? ObjectID(hex: text) else { throw failure(key) }
    return id
  }

  /// An object of the store and its size; `nil` if there is none.
  func object(_ key: String) throws(RecordError) -> RunRecord.StoredObject? {
    guard let value = json[key] else { return nil }
    guard let pair = value.array, pair.count == 2, let id = try? ObjectID(hex: pair[0].string ?? ""), let size = pair[1].integer,
      size >= 0
    else { throw failure(key) }
    return RunRecord.StoredObject(id, size: UInt64(size))
  }

  func path(_ text: String) throws(RecordError) -> StagePath {
    if text.isEmpty { return .root }
    guard let path = try? StagePath(text), path.text == text else { throw failure(text) }
    return path
  }

  /// A list of lists of `count` values each.
  func triples(_ key: String, count: Int) throws(RecordError) -> [[JSONValue]] {
    guard let values = json[key] else { return [] }
    guard let lists = values.array?.map({ $0.array ?? [] }), lists.allSatisfy({ $0.count == count }) else { throw failure(key) }
    return lists
  }

  func states(_ key: String) throws(RecordError) -> [PathState] {
    guard let values = json[key] else { return [] }
    var states: [PathState] = []
    for value in values.array ?? [] {
      guard let text = value["path"]?.string, !text.isEmpty, let oid = try? ObjectID(hex: value["oid"]?.string ?? ""),
        let mode = ContentState.Mode(rawValue: value["mode"]?.string ?? "file"), let size = value["size"]?.integer, size >= 0
      else { throw failure(key) }
      states.append(PathState(try path(text), ContentState(mode: mode, oid: oid, size: UInt64(size))))
    }
    return states
  }

  func uncached() throws(RecordError) -> Set<StagePath> {
    var paths: Set<StagePath> = []
    for value in json["outputs"]?.array ?? [] where value["cache"]?.bool == false {
      paths.insert(try path(value["path"]?.string ?? ""))
    }
    return paths
  }

  func parameters() throws(RecordError) -> [ParameterValue] {
    var parameters: [ParameterValue] = []
    for triple in try triples("params", count: 3) {
      guard let file = triple[0].string, let name = triple[1].string else { throw failure("params") }
      parameters.append(ParameterValue(file: try path(file), name: name, value: triple[2]))
    }
    return parameters
  }
}

extension RunRecord {
  /// Reads what ``json`` returned, however large it is: the note of a run under way.
  public init(journal json: JSONObject) throws(RecordError) {
    var small = JSONObject()
    var rest = JSONObject()
    for member in json.members {
      if Self.movable.contains(member.key) { rest[member.key] = member.value } else { small[member.key] = member.value }
    }
    let bytes = JSONValue.object(rest).canonical()
    small["details"] = [.string(ObjectID(hashing: bytes.span).hex), .integer(Int64(bytes.count))]
    try self.init(Record(small), details: bytes)
  }
}
