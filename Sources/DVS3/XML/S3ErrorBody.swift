import DVFile

/// The body of a refused request, of S3 or of STS.
public struct S3ErrorBody: Hashable, Sendable, CustomStringConvertible {
  /// What programs decide on, as `NoSuchKey`, `SlowDown`, `ExpiredToken`.
  public let code: String
  /// What the server tells the person; may be empty.
  public let message: String
  /// What the server's operators find the request by.
  public let requestID: String?
  public let hostID: String?
  /// The region that the request should have been signed for, if that is what is wrong.
  public let region: String?
  /// The host to ask instead, if the request went to the wrong one.
  public let endpoint: String?

  /// Reads an error body: S3's `Error`, or STS's `ErrorResponse` around it.
  ///
  /// - Throws: ``S3AnswerError`` if `body` is anything else, as the pages of a proxy are.
  public init(xml body: [UInt8], limit: Int = S3ErrorBody.limit) throws(S3AnswerError) {
    var answer = try S3Answer(body, limit: limit, what: "error")
    self = try answer.read { (reader, root) throws(XMLError) in
      guard let error = try Self(&reader, root: root) else { throw reader.failure("'\(root)' is no error") }
      return error
    }
  }

  /// Reads the root element's content, if it is an error; else reads nothing and returns `nil`.
  init?(_ reader: inout XMLReader, root: String) throws(XMLError) {
    switch root {
    case "Error": self = try Self(&reader)
    case "ErrorResponse":
      var error: S3ErrorBody?
      while let name = try reader.child() {
        if name == "Error" { error = try Self(&reader) } else { try reader.skip() }
      }
      guard let error else { throw reader.failure("there is no 'Error' in it") }
      self = error
    default: return nil
    }
  }

  /// Reads the content of an `Error`. A field given twice counts as first given: an error should not be lost to its form.
  private init(_ reader: inout XMLReader) throws(XMLError) {
    var fields: [String: String] = [:]
    while let name = try reader.child() {
      guard ["Code", "Message", "RequestId", "HostId", "Region", "Endpoint"].contains(name), fields[name] == nil else {
        try reader.skip()
        continue
      }
      fields[name] = try reader.text()
    }
    guard let code = fields["Code"], !code.isEmpty else { throw reader.failure("the error has no code") }
    self.code = code
    message = fields["Message"] ?? ""
    requestID = fields["RequestId"]
    hostID = fields["HostId"]
    region = fields["Region"]
    endpoint = fields["Endpoint"]
  }

  /// Code and message. Safe to print on a terminal, and short.
  public var description: String {
    let text = message.isEmpty ? code : "\(code): \(message)"
    return TerminalSafe.text(text.unicodeScalars.count > 400 ? "\(text.prefix(400))…" : text)
  }

  /// How many bytes of an error are read: 1 MiB.
  public static let limit = 1 << 20
}
