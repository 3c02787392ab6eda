import DVObject

/// What is recorded when a tag of the registry is removed on purpose: which one it was, who removed it and why.
///
/// It stands at the end of the message of an annotated tag `dv/removal/<object>`, which names the tag object that was removed, so that git keeps
/// that and carries it on.
public struct RemovalRecord: Hashable, Sendable {
  public static let type = "removal"
  /// Names of such tags begin with it.
  public static let tagPrefix = "dv/removal/"

  /// The short name of the tag that was removed.
  public var tag: String
  /// The tag object, as hex digits.
  public var object: String
  public var reason: String
  /// Milliseconds since 1970.
  public var time: Int64
  /// As git names the committer.
  public var user: String?

  public init(tag: String, object: String, reason: String, time: Int64, user: String?) {
    (self.tag, self.object, self.reason, self.time, self.user) = (tag, object, reason, time, user)
  }

  /// The short name of the tag that holds this.
  public var tagName: String { Self.tagPrefix + object }

  /// The model that the removed tag spoke of; `nil` if its name says of none.
  public var model: ModelName? { RegistryTag(tag)?.model ?? AttestationTag(tag)?.model }

  public func encoded() throws(RecordError) -> Record {
    var json = JSONObject()
    json["type"] = .string(Self.type)
    json["version"] = 1
    json["tag"] = .string(tag)
    json["object"] = .string(object)
    json["reason"] = .string(reason)
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
    tag = try reader.value("tag", json["tag"]?.string)
    object = try reader.value("object", reader.gitObject("object", json["object"]))
    reason = try reader.value("reason", json["reason"]?.string)
    time = try reader.value("time", json["time"]?.integer)
    user = try reader.text("user")
  }
}
