public import DVObject

/// What is recorded when a version of a model is registered: which content it is, and what made it.
public struct ModelRecord: Hashable, Sendable {
  public static let type = "model"

  public var model: ModelName
  public var release: ModelVersion
  /// The target in the commit, relative to its top.
  public var path: String
  public var oid: ObjectID
  /// Whether the content is a directory.
  public var isTree: Bool
  /// Bytes of the content.
  public var size: UInt64
  /// Files in a directory.
  public var files: UInt64?
  /// The record of the run that the pointer names.
  public var run: ObjectID?
  /// The commit whose tree holds pointer and record, as hex digits.
  public var commit: String
  /// Milliseconds since 1970.
  public var time: Int64
  /// As git names the committer.
  public var user: String?

  public init(
    model: ModelName, release: ModelVersion, path: String, oid: ObjectID, isTree: Bool, size: UInt64, files: UInt64?,
    run: ObjectID?, commit: String, time: Int64, user: String?
  ) {
    (self.model, self.release, self.path, self.oid, self.isTree) = (model, release, path, oid, isTree)
    (self.size, self.files, self.run, self.commit, self.time, self.user) = (size, files, run, commit, time, user)
  }

  public func encoded() throws(RecordError) -> Record {
    var json = JSONObject()
    json["type"] = .string(Self.type)
    json["version"] = 1
    json["model"] = .string(model.text)
    json["release"] = .string(release.description)
    json["path"] = .string(path)
    json["kind"] = .string(isTree ? "tree" : "file")
    json["oid"] = .string(oid.hex)
    json["size"] = .integer(Int64(clamping: size))
    json["files"] = files.map { .integer(Int64(clamping: $0)) }
    json["run"] = run.map { .string($0.hex) }
    json["commit"] = .string(commit)
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
    release = try reader.value("release", json["release"]?.string.flatMap { ModelVersion($0) })
    path = try reader.value("path", json["path"]?.string)
    isTree = try reader.value("kind", ["file": false, "tree": true][json["kind"]?.string ?? ""])
    oid = try reader.id("oid")
    size = try reader.value("size", json["size"]?.integer.flatMap { UInt64(exactly: $0) })
    files = json["files"] == nil ? nil : try reader.value("files", json["files"]?.integer.flatMap { UInt64(exactly: $0) })
    run = json["run"] == nil ? nil : try reader.id("run")
    commit = try reader.value("commit", json["commit"]?.string)
    time = try reader.value("time", json["time"]?.integer)
    user = try reader.text("user")
  }
}

/// Reads members of a record and says which one is wrong.
struct MemberReader {
  let record: Record
  let type: String

  init(_ record: Record, _ type: String) {
    self.record = record
    self.type = type
  }

  func requireVersion(_ version: Int64) throws(RecordError) {
    guard record.type == type else { throw malformed("it is of type '\(record.type)', not '\(type)'") }
    guard record.json["version"]?.integer == version else {
      throw malformed("its version is not \(version). Install a newer dv")
    }
  }

  func value<Value>(_ name: String, _ value: Value?) throws(RecordError) -> Value {
    guard let value else { throw malformed("its member '\(name)' is missing or makes no sense") }
    return value
  }

  func id(_ name: String) throws(RecordError) -> ObjectID {
    try value(name, record.json[name]?.string.flatMap { try? ObjectID(hex: $0) })
  }

  /// A text that may be missing, but not be anything else.
  func text(_ name: String) throws(RecordError) -> String? {
    guard let member = record.json[name] else { return nil }
    return try value(name, member.string)
  }

  /// An object of git's as hex digits, if there is one.
  func gitObject(_ name: String, _ member: JSONValue?) throws(RecordError) -> String? {
    guard let member else { return nil }
    return try value(name, member.string.flatMap { Self.isGitObject($0) ? $0 : nil })
  }

  /// The elements of a list that may be missing.
  func list<Element>(
    _ name: String, _ element: (JSONValue) throws(RecordError) -> Element
  ) throws(RecordError) -> [Element] {
    guard let member = record.json[name] else { return [] }
    var elements: [Element] = []
    for json in try value(name, member.array) { elements.append(try element(json)) }
    return elements
  }

  /// Whether `text` is the SHA-1 or SHA-256 of a git object as hex digits.
  private static func isGitObject(_ text: String) -> Bool {
    [40, 64].contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  private func malformed(_ reason: String) -> RecordError {
    RecordError(.malformed, "The record \(record.id.shortHex) cannot be read: \(reason).")
  }
}
