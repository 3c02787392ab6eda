/// Credentials for a role that an identity provider's token vouches for: `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`, as Kubernetes on
/// AWS and many CI services set them.
public struct WebIdentityCredentials: CredentialSource {
  private let environment: CredentialEnvironment
  private let region: String?

  /// - Parameter region: The remote's region, for the case that neither the environment nor a profile names one.
  public init(_ environment: CredentialEnvironment, region: String?) {
    self.environment = environment
    self.region = region
  }

  public var name: String { "the web identity" }
  public var absence: String { "AWS_WEB_IDENTITY_TOKEN_FILE is not set" }

  public func credentials() async throws(CredentialError) -> AWSCredentials? {
    guard let file = environment.path("AWS_WEB_IDENTITY_TOKEN_FILE") else { return nil }
    guard let arn = environment.setting("AWS_ROLE_ARN") else {
      throw CredentialError(.invalid, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not. Set both, or unset both.")
    }
    let token = try environment.token(in: file, namedBy: "AWS_WEB_IDENTITY_TOKEN_FILE")
    let config = try AWSConfig(environment)
    // The role does not come from a profile, but the region and the service's URL may.
    let profile = config.profile(environment.selectedProfileName ?? "default")
    let service = try SecurityTokenService(environment, config, profile, region: region)
    let role = AssumedRole(arn: arn, sessionName: environment.setting("AWS_ROLE_SESSION_NAME"))
    return try await service.assumeRole(role, withWebIdentity: token)
  }
}
