/// One page of a listing: the answer to ListObjectsV2.
public struct ListBucketResult: Hashable, Sendable {
  /// One object of the listing.
  public struct Object: Hashable, Sendable {
    public let key: String
    /// In bytes.
    public let size: UInt64
    /// Without its quotes; no digest of the content in general. `nil` if the server gives none.
    public let etag: String?
    /// When it was stored, in seconds since 1970, by the server's clock; `nil` if the server does not tell.
    public let lastModified: Int64?
    /// As `STANDARD`; `nil` if the server has no such thing.
    public let storageClass: String?
  }

  /// In ascending order, if the server keeps to the protocol.
  public let objects: [Object]
  /// What keys before a delimiter were folded into.
  public let commonPrefixes: [String]
  /// What to ask with for the next page; `nil` if this is the last.
  public let nextToken: String?

  /// Reads the answer to ListObjectsV2.
  ///
  /// Keys and prefixes come out decoded if the server says that it encoded them (`encoding-type=url`).
  ///
  /// - Throws: ``S3AnswerError``, also if fields are missing or make no sense, or if there is more and the server does not say
  ///   how to get it: half a listing must never pass for a whole one.
  /// - Complexity: O(*n*).
  public init(xml body: [UInt8], limit: Int = 16 << 20) throws(S3AnswerError) {
    var answer = try S3Answer(body, limit: limit, what: "listing")
    self = try answer.read(root: "ListBucketResult") { (reader) throws(XMLError) in try Self(&reader) }
  }

  private init(_ reader: inout XMLReader) throws(XMLError) {
    var objects: [Object] = []
    var prefixes: [String] = []
    var isTruncated: Bool?
    var token, encoding: String?
    while let name = try reader.child() {
      switch name {
      case "Contents": objects.append(try Object(&reader))
      case "CommonPrefixes": prefixes.append(try Self.prefix(&reader))
      case "IsTruncated": try reader.readBool(name, into: &isTruncated)
      case "NextContinuationToken": try reader.readText(name, into: &token)
      case "EncodingType": try reader.readText(name, into: &encoding)
      default: try reader.skip()
      }
    }
    if try reader.required("IsTruncated", isTruncated) {
      guard let token, !token.isEmpty else { throw reader.failure("it is truncated and has no token for the rest") }
      nextToken = token
    } else {
      nextToken = nil
    }
    // The encoding is told after the keys by some servers.
    let keys = try KeyEncoding(encoding, reader)
    self.objects = try objects.map { (object) throws(XMLError) in
      Object(
        key: try keys.decode(object.key, reader), size: object.size, etag: object.etag,
        lastModified: object.lastModified, storageClass: object.storageClass)
    }
    commonPrefixes = try prefixes.map { (prefix) throws(XMLError) in try keys.decode(prefix, reader) }
  }

  private static func prefix(_ reader: inout XMLReader) throws(XMLError) -> String {
    var prefix: String?
    while let name = try reader.child() {
      if name == "Prefix" { try reader.readText(name, into: &prefix) } else { try reader.skip() }
    }
    return try reader.required("Prefix", prefix)
  }
}

extension ListBucketResult.Object {
  fileprivate init(_ reader: inout XMLReader) throws(XMLError) {
    var key, etag, storageClass: String?
    var size: UInt64?
    var time: Int64?
    while let name = try reader.child() {
      switch name {
      case "Key": try reader.readText(name, into: &key)
      case "Size": try reader.readCount(name, into: &size)
      case "ETag": try reader.readText(name, into: &etag)
      case "LastModified": try reader.readTime(name, into: &time)
      case "StorageClass": try reader.readText(name, into: &storageClass)
      default: try reader.skip()
      }
    }
    self.init(
      key: try reader.required("Key", key), size: try reader.required("Size", size),
      etag: etag.map(unquotedETag), lastModified: time, storageClass: storageClass)
  }
}

/// How a listing writes keys.
struct KeyEncoding {
  private let isURL: Bool

  /// - Parameter name: What the answer's `EncodingType` says, if it has one.
  init(_ name: String?, _ reader: XMLReader) throws(XMLError) {
    switch name {
    case nil, "": isURL = false
    case "url": isURL = true
    case .some: throw reader.failure("its keys are encoded in a way that was not asked for")
    }
  }

  func decode(_ key: String, _ reader: XMLReader) throws(XMLError) -> String {
    guard isURL else { return key }
    guard let decoded = PercentEncoding.decode(key, plusIsSpace: true) else { throw reader.failure("a key is badly encoded") }
    return decoded
  }
}

/// Returns an ETag without the quotes around it.
func unquotedETag(_ text: String) -> String {
  text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"") ? String(text.dropFirst().dropLast()) : text
}
