/// The answer of STS to AssumeRole and to AssumeRoleWithWebIdentity.
public struct AssumeRoleResult: Hashable, Sendable {
  /// Temporary, always with a token and an end.
  public let credentials: AWSCredentials

  /// - Throws: ``S3AnswerError``, also if a part of the credentials is missing.
  public init(xml body: [UInt8], limit: Int = 1 << 20) throws(S3AnswerError) {
    var answer = try S3Answer(body, limit: limit, what: "temporary credentials")
    credentials = try answer.read(roots: ["AssumeRoleResponse", "AssumeRoleWithWebIdentityResponse"]) {
      (reader, root) throws(XMLError) in
      try Self.response(&reader, result: root.dropLast("Response".count) + "Result")
    }
  }

  private static func response(_ reader: inout XMLReader, result: Substring) throws(XMLError) -> AWSCredentials {
    var credentials: AWSCredentials?
    while let name = try reader.child() {
      guard name[...] == result, credentials == nil else {
        try reader.skip()
        continue
      }
      while let name = try reader.child() {
        if name == "Credentials", credentials == nil {
          credentials = try AWSCredentials(&reader)
        } else {
          try reader.skip()
        }
      }
    }
    return try reader.required("Credentials", credentials)
  }
}

extension AWSCredentials {
  fileprivate init(_ reader: inout XMLReader) throws(XMLError) {
    var key, secret, token: String?
    var expiration: Int64?
    while let name = try reader.child() {
      switch name {
      case "AccessKeyId": try reader.readText(name, into: &key)
      case "SecretAccessKey": try reader.readText(name, into: &secret)
      case "SessionToken": try reader.readText(name, into: &token)
      case "Expiration": try reader.readTime(name, into: &expiration)
      default: try reader.skip()
      }
    }
    guard let key, let secret, let token, !key.isEmpty, !secret.isEmpty, !token.isEmpty else {
      throw reader.failure("a part of the credentials is missing")
    }
    self.init(
      accessKeyID: key, secretAccessKey: secret, sessionToken: token,
      expiration: try reader.required("Expiration", expiration))
  }
}
