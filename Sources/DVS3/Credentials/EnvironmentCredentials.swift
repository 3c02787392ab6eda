/// Credentials in the variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
public struct EnvironmentCredentials: CredentialSource {
  private let environment: CredentialEnvironment

  public init(_ environment: CredentialEnvironment) { self.environment = environment }

  public var name: String { "the environment" }
  public var absence: String { "AWS_ACCESS_KEY_ID is not set" }

  public func credentials() async throws(CredentialError) -> AWSCredentials? {
    let key = environment.setting("AWS_ACCESS_KEY_ID")
    let secret = environment.setting("AWS_SECRET_ACCESS_KEY")
    guard key != nil || secret != nil else { return nil }
    guard let key, let secret else {
      let (set, missing) =
        key == nil ? ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID") : ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
      throw CredentialError(.invalid, "\(set) is set and \(missing) is not. Set both, or unset both.")
    }
    var end: Int64?
    if let text = environment.setting("AWS_CREDENTIAL_EXPIRATION") {
      guard let time = CivilTime(iso8601: text) else {
        throw CredentialError(.invalid, "AWS_CREDENTIAL_EXPIRATION is no time: expected '2030-01-31T12:00:00Z'.")
      }
      end = time.secondsSince1970
    }
    return try AWSCredentials(
      checking: key, secret: secret, token: environment.setting("AWS_SESSION_TOKEN"), expiration: end, from: name)
  }
}
