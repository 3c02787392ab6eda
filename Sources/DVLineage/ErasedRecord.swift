public import DVObject

/// What is recorded of a file whose bytes were erased: that it is gone, why, and by whose word. Its hash and its names stay.
public struct ErasedRecord: Sendable {
  public static let type = "erased"
  public static let version: Int64 = 1
  /// The most bytes of a reason, in UTF-8.
  public static let reasonLimit = 1000

  public var oid: ObjectID
  public var reason: String
  /// Paths that it had, as far as they fit.
  public var paths: [String]
  /// Milliseconds since 1970.
  public var time: Int64
  public var user: String?
  public var host: String?
  public var chain: RunRecord.ChainLink?

  public init(_ oid: ObjectID, reason: String, paths: [String], time: Int64) {
    self.oid = oid
    self.reason = reason
    self.paths = paths
    self.time = time
  }
}

extension ErasedRecord {
  /// All there is of it as one value.
  public var json: JSONObject {
    var json = JSONObject()
    json["type"] = .string(Self.type)
    json["version"] = .integer(Self.version)
    json["oid"] = .string(oid.hex)
    json["reason"] = .string(reason)
    json["data"] = .array(
      paths.map { path in
        var data = JSONObject()
        data["path"] = .string(path)
        data["oid"] = .string(oid.hex)
        return .object(data)
      })
    json["time"] = .integer(time)
    json["user"] = user.map { .string($0) }
    json["host"] = host.map { .string($0) }
    json["chain"] = chain?.json
    return json
  }

  /// Returns the record, with as many of the paths as fit.
  ///
  /// - Throws: ``RecordError/Code/tooLarge`` if the reason alone is too long.
  public func encoded() throws(RecordError) -> Record {
    var part = self
    while true {
      do throws(RecordError) { return try Record(part.json) } catch {
        guard error.code == .tooLarge, !part.paths.isEmpty else { throw error }
        part.paths.removeLast()
      }
    }
  }

  /// Reads the record of an erasure.
  ///
  /// - Throws: ``RecordError/Code/malformed``.
  public init(_ record: Record) throws(RecordError) {
    let json = record.json
    guard record.type == Self.type, json["version"]?.integer == Self.version, let oid = try? ObjectID(hex: json["oid"]?.string ?? ""),
      let reason = json["reason"]?.string, let time = json["time"]?.integer
    else {
      throw RecordError(
        .malformed, "The record \(record.id.shortHex) is no erasure of version \(Self.version) that can be read. A newer dv may know it.")
    }
    self.init(oid, reason: reason, paths: (json["data"]?.array ?? []).compactMap { $0["path"]?.string }, time: time)
    user = json["user"]?.string
    host = json["host"]?.string
    chain = RunRecord.ChainLink(json["chain"])
  }
}
