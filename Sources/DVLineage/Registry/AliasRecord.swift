public import DVObject

/// What is recorded when an alias of a model is moved, or taken away, or the model is given up.
public struct AliasRecord: Hashable, Sendable {
  public static let type = "alias"

  public var model: ModelName
  public var alias: String
  /// The version that has the alias from now on; `nil` if none has.
  public var release: ModelVersion?
  /// The tag object, as hex digits, that said before which version has the alias; `nil` for the first.
  public var previous: String?
  /// Tag objects of other moves that this one decides against, when several followed one.
  public var resolves: [String]
  public var reason: String?
  /// The policy that was asked, as a git blob, and what each of its checks found.
  public var policy: String?
  public var evidence: [Evidence]
  /// Milliseconds since 1970.
  public var time: Int64
  public var user: String?

  /// One check of a policy, and what it was decided on.
  public struct Evidence: Hashable, Sendable {
    public var check: String
    public var finding: String
    /// What was compared with what, for programs.
    public var inputs: JSONObject

    public init(check: String, finding: String, inputs: JSONObject = JSONObject()) {
      self.check = check
      self.finding = finding
      self.inputs = inputs
    }

    var json: JSONValue {
      .array([.string(check), .string(finding)] + (inputs.isEmpty ? [] : [.object(inputs)]))
    }

    init?(_ json: JSONValue) {
      guard let members = json.array, members.count == 2 || members.count == 3, let check = members[0].string,
        let finding = members[1].string
      else { return nil }
      var inputs = JSONObject()
      if members.count == 3 {
        guard let object = members[2].object, !object.isEmpty else { return nil }
        inputs = object
      }
      self.init(check: check, finding: finding, inputs: inputs)
    }
  }

  public init(
    model: ModelName, alias: String, release: ModelVersion?, previous: String?, resolves: [String] = [], reason: String?,
    policy: String? = nil, evidence: [Evidence] = [], time: Int64, user: String?
  ) {
    (self.model, self.alias, self.release, self.previous, self.resolves) = (model, alias, release, previous, resolves)
    (self.reason, self.policy, self.evidence, self.time, self.user) = (reason, policy, evidence, time, user)
  }

  public func encoded() throws(RecordError) -> Record {
    var json = JSONObject()
    json["type"] = .string(Self.type)
    json["version"] = 1
    json["model"] = .string(model.text)
    json["alias"] = .string(alias)
    json["release"] = release.map { .string($0.description) }
    json["previous"] = previous.map { .string($0) }
    if !resolves.isEmpty { json["resolves"] = .array(resolves.map { .string($0) }) }
    json["reason"] = reason.map { .string($0) }
    json["policy"] = policy.map { .string($0) }
    if !evidence.isEmpty { json["evidence"] = .array(evidence.map(\.json)) }
    json["time"] = .integer(time)
    json["user"] = user.map { .string($0) }
    return try Record(json, limit: TagMessage.maximumRecordByteCount)
  }

  /// Reads a record of this type.
  ///
  /// - Throws: ``RecordError/Code/malformed`` if a member is missing or is not what it should be.
  public init(_ record: Record) throws(RecordError) {
    let json = record.json
    let reader = MemberReader(record, Self.type)
    try reader.requireVersion(1)
    model = try reader.value("model", json["model"]?.string.flatMap { ModelName($0) })
    alias = try reader.value("alias", json["alias"]?.string.flatMap { RegistryTag.isAlias($0) ? $0 : nil })
    release = json["release"] == nil ? nil : try reader.value("release", json["release"]?.string.flatMap { ModelVersion($0) })
    previous = try reader.gitObject("previous", json["previous"])
    resolves = try reader.list("resolves") { member throws(RecordError) in
      try reader.value("resolves", reader.gitObject("resolves", member))
    }
    reason = try reader.text("reason")
    policy = try reader.gitObject("policy", json["policy"])
    evidence = try reader.list("evidence") { member throws(RecordError) in try reader.value("evidence", Evidence(member)) }
    time = try reader.value("time", json["time"]?.integer)
    user = try reader.text("user")
  }
}
