/// The answer to CreateMultipartUpload.
public struct InitiateMultipartUploadResult: Hashable, Sendable {
  /// What the upload's parts are sent with. Never empty.
  public let uploadID: String

  /// - Throws: ``S3AnswerError``, also if there is no upload ID.
  public init(xml body: [UInt8], limit: Int = 1 << 20) throws(S3AnswerError) {
    var answer = try S3Answer(body, limit: limit, what: "answer to a new multipart upload")
    // The second is what rclone calls it.
    let roots = ["InitiateMultipartUploadResult", "InitiateMultipartUpload"]
    uploadID = try answer.read(roots: roots) { (reader, _) throws(XMLError) in
      var id: String?
      while let name = try reader.child() {
        if name == "UploadId" { try reader.readText(name, into: &id) } else { try reader.skip() }
      }
      guard let id, !id.isEmpty else { throw reader.failure("'UploadId' is missing") }
      return id
    }
  }
}

/// The answer to CompleteMultipartUpload.
///
/// Its status is `200` before the server has put the parts together, and spaces may come before it: whether the upload succeeded is said
/// by the body alone.
public struct CompleteMultipartUploadResult: Hashable, Sendable {
  /// Without its quotes.
  public let etag: String

  /// - Throws: ``S3AnswerError``, also if the server tells an error in it, or no ETag.
  public init(xml body: [UInt8], limit: Int = 1 << 20) throws(S3AnswerError) {
    // White space before the declaration keeps the connection alive while the server works.
    let trimmed = Array(body.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 })
    var answer = try S3Answer(trimmed, limit: limit, what: "answer to a finished multipart upload")
    etag = try answer.read(root: "CompleteMultipartUploadResult") { (reader) throws(XMLError) in
      var etag: String?
      while let name = try reader.child() {
        if name == "ETag" { try reader.readText(name, into: &etag) } else { try reader.skip() }
      }
      guard let etag, !etag.isEmpty else { throw reader.failure("'ETag' is missing") }
      return unquotedETag(etag)
    }
  }
}

/// One page of the uploads under way: the answer to ListMultipartUploads.
public struct ListMultipartUploadsResult: Hashable, Sendable {
  /// An upload that was begun and neither completed nor aborted.
  public struct Upload: Hashable, Sendable {
    public let key: String
    public let uploadID: String
    /// When it was begun, in seconds since 1970, by the server's clock; `nil` if the server does not tell.
    public let initiated: Int64?
  }

  /// What to ask with for the next page.
  public struct Marker: Hashable, Sendable {
    public let key: String
    public let uploadID: String?
  }

  public let uploads: [Upload]
  /// `nil` if this is the last page.
  public let next: Marker?

  /// - Throws: ``S3AnswerError``, also if there is more and the server does not say how to get it.
  public init(xml body: [UInt8], limit: Int = 16 << 20) throws(S3AnswerError) {
    var answer = try S3Answer(body, limit: limit, what: "list of uploads")
    self = try answer.read(root: "ListMultipartUploadsResult") { (reader) throws(XMLError) in try Self(&reader) }
  }

  private init(_ reader: inout XMLReader) throws(XMLError) {
    var uploads: [Upload] = []
    var isTruncated: Bool?
    var keyMarker, idMarker, encoding: String?
    while let name = try reader.child() {
      switch name {
      case "Upload": uploads.append(try Upload(&reader))
      case "IsTruncated": try reader.readBool(name, into: &isTruncated)
      case "NextKeyMarker": try reader.readText(name, into: &keyMarker)
      case "NextUploadIdMarker": try reader.readText(name, into: &idMarker)
      case "EncodingType": try reader.readText(name, into: &encoding)
      default: try reader.skip()
      }
    }
    let keys = try KeyEncoding(encoding, reader)
    self.uploads = try uploads.map { (upload) throws(XMLError) in
      Upload(key: try keys.decode(upload.key, reader), uploadID: upload.uploadID, initiated: upload.initiated)
    }
    // rclone leaves 'IsTruncated' out when it is false. Then there is no marker either.
    guard isTruncated ?? (keyMarker.map { !$0.isEmpty } ?? false) else {
      next = nil
      return
    }
    guard let keyMarker, !keyMarker.isEmpty else { throw reader.failure("it is truncated and has no marker for the rest") }
    next = Marker(key: try keys.decode(keyMarker, reader), uploadID: idMarker.flatMap { $0.isEmpty ? nil : $0 })
  }
}

extension ListMultipartUploadsResult.Upload {
  fileprivate init(_ reader: inout XMLReader) throws(XMLError) {
    var key, id: String?
    var time: Int64?
    while let name = try reader.child() {
      switch name {
      case "Key": try reader.readText(name, into: &key)
      case "UploadId": try reader.readText(name, into: &id)
      case "Initiated": try reader.readTime(name, into: &time)
      default: try reader.skip()
      }
    }
    guard let id, !id.isEmpty else { throw reader.failure("'UploadId' is missing") }
    self.init(key: try reader.required("Key", key), uploadID: id, initiated: time)
  }
}
