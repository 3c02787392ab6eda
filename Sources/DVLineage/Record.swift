public import DVObject

/// An immutable fact: canonical JSON of at most 2 KiB, named by its SHA-256. See `docs/format/record.md`.
public struct Record: Hashable, Sendable {
  /// The most bytes of a record.
  public static let maximumByteCount = 2048

  public let id: ObjectID
  public let bytes: [UInt8]
  public let json: JSONObject

  /// Makes a record of `json`.
  ///
  /// - Parameter limit: the most bytes that it may have.
  /// - Throws: ``RecordError/Code/tooLarge``.
  public init(_ json: JSONObject, limit: Int = maximumByteCount) throws(RecordError) {
    let bytes = JSONValue.object(json).canonical()
    guard bytes.count <= limit else {
      throw RecordError(.tooLarge, "A record would have \(bytes.count) bytes; at most \(limit) are allowed.")
    }
    self.json = json
    self.bytes = bytes
    id = ObjectID(hashing: bytes.span)
  }

  /// Reads a record and refuses every encoding but the canonical one.
  ///
  /// - Parameters:
  ///   - name: the name it was found under; `nil` if it had none.
  ///   - limit: the most bytes that it may have.
  /// - Throws: ``RecordError/Code/altered`` if it is not the record of that name, ``RecordError/Code/malformed`` or
  ///   ``RecordError/Code/tooLarge`` if it is none.
  public init(decoding bytes: [UInt8], named name: ObjectID? = nil, limit: Int = maximumByteCount) throws(RecordError) {
    let id = ObjectID(hashing: bytes.span)
    if let name, name != id {
      throw RecordError(
        .altered, "The record \(name.shortHex) was altered: what is stored under its name has the digest \(id.shortHex). "
          + "'git checkout' or another clone has the right one.")
    }
    let value: JSONValue
    do {
      value = try JSONValue(canonical: bytes, limit: limit, named: "The record \(id.shortHex)")
    } catch {
      throw RecordError(error.code == .tooLarge ? .tooLarge : .malformed, error.message, cause: error)
    }
    guard case .object(let json) = value, json["type"]?.string != nil, json["version"]?.integer != nil else {
      throw RecordError(.malformed, "\(id.shortHex) is no record: it has no 'type' and 'version'.")
    }
    self.id = id
    self.bytes = bytes
    self.json = json
  }

  /// What kind of fact it is: `run` and so on.
  public var type: String { json["type"]?.string ?? "" }

  /// Its path below a directory of records: `aa/<64 hex digits>.json`.
  public static func fileName(of id: ObjectID) -> String { "\(id.hex.prefix(2))/\(id.hex).json" }

  public static func == (left: Self, right: Self) -> Bool { left.id == right.id }

  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
