public import DVObject
public import DVPipeline

/// How alike what was made again is to what was recorded, the best first.
public enum ReproductionVerdict: String, CaseIterable, Comparable, Sendable {
  /// Bit for bit.
  case identical
  /// The same content in another encoding.
  case equivalent
  /// Numbers that differ by no more than a declared tolerance.
  case withinTolerance = "within-tolerance"
  case different
  /// The environment that the stage declares is not there, or what it needs was not made.
  case blocked
  /// The command failed, or did not make all outputs.
  case failed
  /// What it starts from is nowhere to be had.
  case missing

  public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// Whether the run counts as reproduced.
  public var isGood: Bool { self <= .withinTolerance }
}

/// What is recorded of one attempt to make again what a run made.
public struct ReproductionRecord: Sendable {
  public static let type = "reproduction"
  public static let version: Int64 = 1

  /// One output.
  public struct Output: Hashable, Sendable {
    public let path: StagePath
    /// As the run made it.
    public let recorded: ObjectID
    /// As it was made now; `nil` if it was not.
    public let made: ContentState?
    public let verdict: ReproductionVerdict
    /// The first difference, in words.
    public let reason: String?

    public init(path: StagePath, recorded: ObjectID, made: ContentState?, verdict: ReproductionVerdict, reason: String?) {
      self.path = path
      self.recorded = recorded
      self.made = made
      self.verdict = verdict
      self.reason = reason
    }
  }

  /// The record of the run.
  public var run: ObjectID
  public var stage: String?
  public var verdict: ReproductionVerdict
  /// Why it was not carried out, or failed.
  public var reason: String?
  /// The commit that was asked for, 40 hex digits.
  public var commit: String?
  public var outputs: [Output] = []
  /// Whether it was fed with what reproductions of earlier stages made.
  public var isChained = false
  /// Whether the code of the commit ran rather than that of the run.
  public var isAsCommitted = false
  /// Whether the command had no network.
  public var isOffline = false
  /// How often it was made, and how many different results that gave.
  public var attempts: Int64 = 1
  public var results: Int64 = 1
  /// What was declared: patterns and relative differences.
  public var tolerances: [(pattern: String, relative: Double)] = []
  public var exitCode: Int64?
  public var signal: Int64?
  /// Milliseconds since 1970.
  public var start: Int64 = 0
  public var end: Int64 = 0
  /// The tree of the code that ran.
  public var code: RunRecord.StoredObject?
  public var environment: RunRecord.StoredObject?
  public var log: RunRecord.StoredObject?
  public var user: String?
  public var host: String?
  public var chain: RunRecord.ChainLink?

  public init(of run: ObjectID, verdict: ReproductionVerdict) {
    self.run = run
    self.verdict = verdict
  }
}

extension ReproductionRecord {
  /// Members in the order in which they leave a record that is too large.
  private static let movable = ["outputs", "tolerances", "reason", "stage", "user", "host"]

  /// All there is of it as one value.
  public var json: JSONObject {
    var json = JSONObject()
    json["type"] = .string(Self.type)
    json["version"] = .integer(Self.version)
    json["run"] = .string(run.hex)
    json["stage"] = stage.map { .string($0) }
    json["verdict"] = .string(verdict.rawValue)
    json["reason"] = reason.map { .string($0) }
    json["commit"] = commit.map { .string($0) }
    if !outputs.isEmpty { json["outputs"] = .array(outputs.map { Self.json($0) }) }
    if isChained { json["chained"] = true }
    if isAsCommitted { json["asCommitted"] = true }
    if isOffline { json["offline"] = true }
    if attempts != 1 { json["attempts"] = [.integer(attempts), .integer(results)] }
    if !tolerances.isEmpty {
      json["tolerances"] = .array(tolerances.map { [.string($0.pattern), .number($0.relative)] })
    }
    json["exit"] = exitCode.map { .integer($0) }
    json["signal"] = signal.map { .integer($0) }
    json["start"] = .integer(start)
    json["end"] = .integer(end)
    json["code"] = code.map { RunRecord.json($0) }
    json["environment"] = environment.map { RunRecord.json($0) }
    json["log"] = log.map { RunRecord.json($0) }
    json["user"] = user.map { .string($0) }
    json["host"] = host.map { .string($0) }
    json["chain"] = chain?.json
    return json
  }

  private static func json(_ output: Output) -> JSONValue {
    var json = JSONObject()
    json["path"] = .string(output.path.text)
    json["recorded"] = .string(output.recorded.hex)
    if let made = output.made {
      json["oid"] = .string(made.oid.hex)
      json["size"] = .integer(Int64(clamping: made.size))
      if made.mode != .file { json["mode"] = .string(made.mode.rawValue) }
    }
    json["verdict"] = .string(output.verdict.rawValue)
    json["reason"] = output.reason.map { .string($0) }
    return .object(json)
  }

  /// Returns the record and, if not all of it fits, the object with the rest, which must be stored first.
  public func encoded() throws(RecordError) -> (record: Record, details: RecordDetails?) {
    try RecordDetails.split(json, moving: Self.movable)
  }

  /// Reads the record of a reproduction.
  ///
  /// - Parameter details: the bytes of ``RunRecord/details(of:)``; `nil` if they are not at hand: then it has no outputs.
  /// - Throws: ``RecordError/Code/malformed``, ``RecordError/Code/altered`` if `details` is another object.
  public init(_ record: Record, details: [UInt8]? = nil) throws(RecordError) {
    func failure(_ key: String) -> RecordError {
      RecordError(
        .malformed, "The record \(record.id.shortHex) is no reproduction that can be read: '\(key)' is missing or makes no sense.")
    }
    guard record.type == Self.type, record.json["version"]?.integer == Self.version else {
      throw RecordError(
        .malformed, "The record \(record.id.shortHex) is no reproduction of version \(Self.version). A newer dv may know it.")
    }
    let json = try RecordDetails.joined(record, details)
    guard let run = try? ObjectID(hex: json["run"]?.string ?? "") else { throw failure("run") }
    guard let verdict = ReproductionVerdict(rawValue: json["verdict"]?.string ?? "") else { throw failure("verdict") }
    guard let start = json["start"]?.integer, let end = json["end"]?.integer else { throw failure("start") }
    self.init(of: run, verdict: verdict)
    self.start = start
    self.end = end
    stage = json["stage"]?.string
    reason = json["reason"]?.string
    commit = json["commit"]?.string
    for value in json["outputs"]?.array ?? [] {
      guard let path = try? StagePath(value["path"]?.string ?? ""), let recorded = try? ObjectID(hex: value["recorded"]?.string ?? ""),
        let verdict = ReproductionVerdict(rawValue: value["verdict"]?.string ?? "")
      else { throw failure("outputs") }
      var made: ContentState?
      if let oid = value["oid"]?.string {
        guard let id = try? ObjectID(hex: oid), let mode = ContentState.Mode(rawValue: value["mode"]?.string ?? "file"),
          let size = value["size"]?.integer, size >= 0
        else { throw failure("outputs") }
        made = ContentState(mode: mode, oid: id, size: UInt64(size))
      }
      outputs.append(Output(path: path, recorded: recorded, made: made, verdict: verdict, reason: value["reason"]?.string))
    }
    isChained = json["chained"]?.bool ?? false
    isAsCommitted = json["asCommitted"]?.bool ?? false
    isOffline = json["offline"]?.bool ?? false
    if let pair = json["attempts"]?.array, pair.count == 2, let attempts = pair[0].integer, let results = pair[1].integer {
      self.attempts = attempts
      self.results = results
    }
    for pair in json["tolerances"]?.array ?? [] {
      guard let values = pair.array, values.count == 2, let pattern = values[0].string, let relative = values[1].double else {
        throw failure("tolerances")
      }
      tolerances.append((pattern, relative))
    }
    exitCode = json["exit"]?.integer
    signal = json["signal"]?.integer
    code = RunRecord.StoredObject(json["code"])
    environment = RunRecord.StoredObject(json["environment"])
    log = RunRecord.StoredObject(json["log"])
    user = json["user"]?.string
    host = json["host"]?.string
    chain = RunRecord.ChainLink(json["chain"])
  }
}
