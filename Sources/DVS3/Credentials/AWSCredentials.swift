/// What a request to AWS or to a compatible store is signed with.
///
/// Printing one, in a message, a log or a debugger, shows which key it is and never the secrets.
public struct AWSCredentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The public name of the key, as `AKIAIOSFODNN7EXAMPLE`.
  public let accessKeyID: String
  public let secretAccessKey: String
  /// What temporary credentials carry besides; sent with every request as `x-amz-security-token`.
  public let sessionToken: String?
  /// When they stop working, in seconds since 1970; `nil` for those that do not.
  public let expiration: Int64?

  public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: Int64? = nil) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expiration = expiration
  }

  /// The first four characters of the key's name, which say of what kind it is, and the last four.
  public var description: String {
    let name = accessKeyID.count > 12 ? "\(accessKeyID.prefix(4))…\(accessKeyID.suffix(4))" : "…"
    let kind = sessionToken == nil ? "" : ", temporary"
    let end = expiration.map { ", until \(CivilTime(secondsSince1970: $0).readable)" } ?? ""
    return "credentials \(name)\(kind)\(end)"
  }

  public var debugDescription: String { description }

  public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": description]) }
}
