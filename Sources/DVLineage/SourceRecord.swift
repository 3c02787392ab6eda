public import DVObject
public import DVPipeline

/// What is recorded of data that was imported: where it came from, and what it was there.
///
/// It names path and content. Pointers do not name it: whoever asks finds it by the content, so that it stays true when the data
/// is moved.
public struct SourceRecord: Sendable {
  public static let type = "source"
  public static let version: Int64 = 1

  /// Where data comes from.
  public enum Origin: Hashable, Sendable {
    /// Another repository: its URL as git takes it, the path in it, the revision that was asked for, and the commit that this was.
    case repository(url: String, path: String, revision: String?, commit: String?)
    /// A file, a directory, a bucket's objects, or what a web server serves.
    case location(url: String, version: RemoteVersion?)

    public var url: String {
      switch self {
      case .repository(let url, _, _, _), .location(let url, _): url
      }
    }
  }

  /// What a server says of a value, by which a change shows without reading it.
  public struct RemoteVersion: Hashable, Sendable {
    public var tag: String?
    /// As the server writes it.
    public var modified: String?
    /// In bytes.
    public var size: UInt64?

    public init(tag: String? = nil, modified: String? = nil, size: UInt64? = nil) {
      self.tag = tag
      self.modified = modified
      self.size = size
    }

    /// Whether both are of the same value for all that is known; `false` where too little is.
    public func isSame(as other: RemoteVersion) -> Bool {
      if let size, let theirs = other.size, size != theirs { return false }
      if let tag, let theirs = other.tag { return tag == theirs }
      if let modified, let theirs = other.modified { return modified == theirs && size != nil && other.size != nil }
      return false
    }
  }

  public var origin: Origin
  /// What was imported, and where to.
  public var data: PathState
  /// Of a directory, how many files it has.
  public var files: UInt64?
  /// Milliseconds since 1970.
  public var time: Int64
  public var user: String?
  public var host: String?
  public var chain: RunRecord.ChainLink?

  public init(_ origin: Origin, data: PathState, files: UInt64?, time: Int64) {
    self.origin = origin
    self.data = data
    self.files = files
    self.time = time
  }
}

extension SourceRecord {
  /// All there is of it as one value.
  public var json: JSONObject {
    var json = JSONObject()
    json["type"] = .string(Self.type)
    json["version"] = .integer(Self.version)
    json["url"] = .string(origin.url)
    switch origin {
    case .repository(_, let path, let revision, let commit):
      json["from"] = .string(path)
      json["rev"] = revision.map { .string($0) }
      json["commit"] = commit.map { .string($0) }
    case .location(_, let version):
      json["etag"] = version?.tag.map { .string($0) }
      json["modified"] = version?.modified.map { .string($0) }
      json["bytes"] = version?.size.map { .integer(Int64(clamping: $0)) }
    }
    var data = JSONObject()
    data["path"] = .string(self.data.path.text)
    data["oid"] = .string(self.data.content.oid.hex)
    data["size"] = .integer(Int64(clamping: self.data.content.size))
    if self.data.content.mode != .file { data["mode"] = .string(self.data.content.mode.rawValue) }
    data["files"] = files.map { .integer(Int64(clamping: $0)) }
    json["data"] = .object(data)
    json["time"] = .integer(time)
    json["user"] = user.map { .string($0) }
    json["host"] = host.map { .string($0) }
    json["chain"] = chain?.json
    return json
  }

  /// Returns the record.
  ///
  /// - Throws: ``RecordError/Code/tooLarge`` if URL and paths are too long for one.
  public func encoded() throws(RecordError) -> Record { try Record(json) }

  /// Reads the record of an import.
  ///
  /// - Throws: ``RecordError/Code/malformed``.
  public init(_ record: Record) throws(RecordError) {
    func failure(_ key: String) -> RecordError {
      RecordError(
        .malformed, "The record \(record.id.shortHex) is no source that can be read: '\(key)' is missing or makes no sense.")
    }
    let json = record.json
    guard record.type == Self.type, json["version"]?.integer == Self.version else {
      throw RecordError(
        .malformed, "The record \(record.id.shortHex) is no source of version \(Self.version). A newer dv may know it.")
    }
    guard let url = json["url"]?.string else { throw failure("url") }
    if let path = json["from"]?.string {
      origin = .repository(url: url, path: path, revision: json["rev"]?.string, commit: json["commit"]?.string)
    } else {
      let version = RemoteVersion(
        tag: json["etag"]?.string, modified: json["modified"]?.string,
        size: json["bytes"]?.integer.flatMap { UInt64(exactly: $0) })
      origin = .location(url: url, version: version == RemoteVersion() ? nil : version)
    }
    guard let value = json["data"], let path = try? StagePath(value["path"]?.string ?? ""),
      let oid = try? ObjectID(hex: value["oid"]?.string ?? ""), let size = value["size"]?.integer, size >= 0,
      let mode = ContentState.Mode(rawValue: value["mode"]?.string ?? "file"), mode != .directory
    else { throw failure("data") }
    data = PathState(path, ContentState(mode: mode, oid: oid, size: UInt64(size)))
    files = value["files"]?.integer.flatMap { UInt64(exactly: $0) }
    guard let time = json["time"]?.integer else { throw failure("time") }
    self.time = time
    user = json["user"]?.string
    host = json["host"]?.string
    chain = RunRecord.ChainLink(json["chain"])
  }
}
