import DVFile
import FoundationEssentials

/// Credentials as the container's and the instance's services and `credential_process` write them in JSON.
struct CredentialAnswer: Decodable {
  let version: Int?
  let code: String?
  let message: String?
  let accessKeyID: String?
  let secretAccessKey: String?
  let sessionToken: String?
  let token: String?
  let expiration: String?

  private enum CodingKeys: String, CodingKey {
    case version = "Version", code = "Code", message = "Message", accessKeyID = "AccessKeyId"
    case secretAccessKey = "SecretAccessKey", sessionToken = "SessionToken", token = "Token", expiration = "Expiration"
  }

  /// - Parameter origin: Who answered, for messages.
  /// - Throws: ``CredentialError/Code/invalid`` if it is not JSON of this form. What was answered is not quoted.
  init(json bytes: [UInt8], from origin: String) throws(CredentialError) {
    self = try Self.decode(Self.self, bytes, from: origin)
  }

  /// Returns the credentials in it.
  ///
  /// - Throws: ``CredentialError/Code/invalid`` if a part is missing.
  func credentials(from origin: String) throws(CredentialError) -> AWSCredentials {
    guard let accessKeyID, let secretAccessKey else {
      throw CredentialError(.invalid, "the answer of \(origin) has no 'AccessKeyId' or no 'SecretAccessKey'.")
    }
    var end: Int64?
    if let expiration, !expiration.isEmpty {
      guard let time = CivilTime(iso8601: expiration) else {
        throw CredentialError(.invalid, "the 'Expiration' in the answer of \(origin) is no time.")
      }
      end = time.secondsSince1970
    }
    return try AWSCredentials(
      checking: accessKeyID, secret: secretAccessKey, token: sessionToken ?? token, expiration: end, from: origin)
  }

  /// What a service that refuses says of it.
  var refusal: String {
    TerminalSafe.text([code, message].compactMap { $0 }.joined(separator: ": ").prefix(400).description)
  }

  /// Decodes JSON.
  ///
  /// - Throws: ``CredentialError/Code/invalid``. The decoder's own error is dropped, because it may quote what it read.
  static func decode<Value: Decodable>(
    _ type: Value.Type, _ bytes: [UInt8], from origin: String
  ) throws(CredentialError) -> Value {
    guard let value = try? JSONDecoder().decode(type, from: Data(bytes)) else {
      throw CredentialError(.invalid, "the answer of \(origin) is not the JSON that was expected.")
    }
    return value
  }
}
