public import DVObject

/// The members of a record that did not fit it, as an object of the store.
public struct RecordDetails: Sendable {
  public let id: ObjectID
  public let bytes: [UInt8]

  /// Takes over bytes that were found somewhere; reading the record with them proves them.
  public init(id: ObjectID, bytes: [UInt8]) {
    self.id = id
    self.bytes = bytes
  }

  /// Makes a record of `json`, of which members may leave in the order of `movable` until the rest fits.
  static func split(
    _ json: JSONObject, moving movable: [String]
  ) throws(RecordError) -> (record: Record, details: RecordDetails?) {
    var json = json
    if JSONValue.object(json).canonical().count <= Record.maximumByteCount { return (try Record(json), nil) }
    var rest = JSONObject()
    for key in movable {
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

  /// Returns a record's members with those of its details, if these are given.
  static func joined(_ record: Record, _ details: [UInt8]?) throws(RecordError) -> JSONObject {
    var json = record.json
    guard let (id, _) = RunRecord.details(of: record), let details else { return json }
    guard ObjectID(hashing: details.span) == id else {
      throw RecordError(.altered, "The details of the record \(record.id.shortHex) were altered.")
    }
    do {
      let rest = try JSONValue(
        canonical: details, limit: RunRecord.maximumDetailByteCount, named: "The details of \(record.id.shortHex)")
      for member in rest.object?.members ?? [] { json[member.key] = member.value }
    } catch {
      throw RecordError(.malformed, error.message, cause: error)
    }
    return json
  }
}

extension RunRecord.ChainLink {
  /// As it stands in a record.
  var json: JSONValue {
    .array([.string(clone), .integer(sequence)] + (previous.map { [.string($0.hex)] } ?? []))
  }

  /// Reads it; `nil` if there is none.
  init?(_ json: JSONValue?) {
    guard let link = json?.array, link.count >= 2, let clone = link[0].string, let sequence = link[1].integer else { return nil }
    self.init(
      clone: clone, sequence: sequence, previous: link.count > 2 ? try? ObjectID(hex: link[2].string ?? "") : nil)
  }
}

extension RunRecord.StoredObject {
  /// Reads it; `nil` if there is none that makes sense.
  init?(_ json: JSONValue?) {
    guard let pair = json?.array, pair.count == 2, let id = try? ObjectID(hex: pair[0].string ?? ""), let size = pair[1].integer,
      size >= 0
    else { return nil }
    self.init(id, size: UInt64(size))
  }
}
