import DVFile

/// The answer to DeleteObjects.
public struct DeleteResult: Hashable, Sendable {
  /// A key that was not deleted.
  public struct Failure: Hashable, Sendable, CustomStringConvertible {
    public let key: String
    /// As `AccessDenied`.
    public let code: String
    public let message: String

    /// Key, code and message. Safe to print on a terminal.
    public var description: String { TerminalSafe.text("'\(key)': \(message.isEmpty ? code : "\(code): \(message)")") }
  }

  /// The keys that are gone. Empty if the request asked for failures only (`Quiet`).
  public let deleted: [String]
  public let failures: [Failure]

  /// - Throws: ``S3AnswerError``.
  public init(xml body: [UInt8], limit: Int = 16 << 20) throws(S3AnswerError) {
    var answer = try S3Answer(body, limit: limit, what: "answer to a deletion")
    self = try answer.read(root: "DeleteResult") { (reader) throws(XMLError) in
      var deleted: [String] = []
      var failures: [Failure] = []
      while let name = try reader.child() {
        switch name {
        case "Deleted": deleted.append(try reader.required("Key", try Self.fields(&reader)["Key"]))
        case "Error":
          let fields = try Self.fields(&reader)
          // A server that could not read the request names no key.
          failures.append(
            Failure(
              key: fields["Key"] ?? "", code: try reader.required("Code", fields["Code"]),
              message: fields["Message"] ?? ""))
        default: try reader.skip()
        }
      }
      return Self(deleted: deleted, failures: failures)
    }
  }

  private init(deleted: [String], failures: [Failure]) {
    self.deleted = deleted
    self.failures = failures
  }

  private static func fields(_ reader: inout XMLReader) throws(XMLError) -> [String: String] {
    var fields: [String: String] = [:]
    while let name = try reader.child() {
      guard ["Key", "Code", "Message"].contains(name) else {
        try reader.skip()
        continue
      }
      try reader.readText(name, into: &fields[name])
    }
    return fields
  }
}
