import DVObject

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

    public init(check: String, finding: String) {
      self.check = check
      self.finding = finding
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
    if !evidence.isEmpty {
      json["evidence"] = .array(evidence.map { [.string($0.check), .string($0.finding)] })
    }
    json["time"] = .integer(time)
    json["user"] = user.map { .string($0) }
    return try Record(json)
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
    previous = json["previous"]?.string
    resolves = (json["resolves"]?.array ?? []).compactMap(\.string)
    reason = json["reason"]?.string
    policy = json["policy"]?.string
    evidence = (json["evidence"]?.array ?? []).compactMap { entry in
      guard let pair = entry.array, pair.count == 2, let check = pair[0].string, let finding = pair[1].string else { return nil }
      return Evidence(check: check, finding: finding)
    }
    time = try reader.value("time", json["time"]?.integer)
    user = json["user"]?.string
  }
}
