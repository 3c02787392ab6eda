import DVFile

/// Credentials of a profile in AWS's shared files: a key pair, a role to assume, single sign-on, or a program to ask.
///
/// A profile that says several of these means the first of them in this order: a role, single sign-on, a key pair, a
/// program; as AWS's own programs decide it.
public struct ProfileCredentials: CredentialSource {
  private let environment: CredentialEnvironment
  private let profile: String?
  private let region: String?

  /// - Parameters:
  ///   - profile: The profile that the remote's settings name; `nil` for the one that the environment chooses.
  ///   - region: The remote's, for the case that neither the environment nor the profile names one.
  public init(_ environment: CredentialEnvironment, profile: String?, region: String?) {
    self.environment = environment
    self.profile = profile
    self.region = region
  }

  public var name: String {
    "profile '\(TerminalSafe.text(profile ?? environment.selectedProfileName ?? "default"))'"
  }

  public var absence: String { "there is no such profile, or no credentials in it" }

  public func credentials() async throws(CredentialError) -> AWSCredentials? {
    let config = try AWSConfig(environment)
    guard let selected = try config.selectedProfile(profile, environment) else { return nil }
    let found = try await ProfileResolution(environment: environment, config: config, region: region)
      .credentials(of: selected, usedBy: [])
    // Whoever names a profile for a remote means no other identity.
    if found == nil, profile != nil {
      throw CredentialError(
        .invalid,
        "it has neither keys nor a role, single sign-on or program to get them. Add them in \(config.places).")
    }
    return found
  }
}

/// Follows a profile to the credentials it stands for.
struct ProfileResolution {
  let environment: CredentialEnvironment
  let config: AWSConfig
  let region: String?

  /// Returns the credentials of a profile, or `nil` if it has nothing to do with credentials.
  ///
  /// - Parameter users: The profiles that have this one as source, the outermost first.
  func credentials(
    of profile: AWSProfile, usedBy users: [AWSProfile]
  ) async throws(CredentialError) -> AWSCredentials? {
    // A source with keys of its own is where a row of roles begins, even if it has a role too: it may be its own source.
    if !users.isEmpty, let keys = try profile.keys() { return keys }
    if users.contains(where: { $0.name == profile.name }) {
      let row = (users + [profile]).map { "'\($0.printableName)'" }.joined(separator: ", ")
      throw CredentialError(.invalid, "the source_profile of these profiles leads in a circle: \(row). Change one of them.")
    }
    if let arn = profile["role_arn"] { return try await role(arn, of: profile, usedBy: users) }
    if let login = try SingleSignOn(profile, config) { return try await login.credentials(environment) }
    if let keys = try profile.keys() { return keys }
    if let command = profile["credential_process"] {
      return try await CredentialProcess(command, of: profile).credentials(environment)
    }
    return nil
  }

  private func role(
    _ arn: String, of profile: AWSProfile, usedBy users: [AWSProfile]
  ) async throws(CredentialError) -> AWSCredentials {
    guard profile["mfa_serial"] == nil else {
      throw CredentialError(
        .unsupported,
        "\(profile) asks for a one-time code (mfa_serial), which dv does not do. Get temporary credentials with 'aws configure export-credentials --profile \(profile.printableName) --format env' and put them into the environment."
      )
    }
    let service = try SecurityTokenService(environment, config, profile, region: region)
    var role = AssumedRole(
      arn: arn, sessionName: profile["role_session_name"] ?? environment.setting("AWS_ROLE_SESSION_NAME"))
    role.externalID = profile["external_id"]
    role.duration = try duration(profile)

    if let file = profile["web_identity_token_file"] {
      let token = try environment.token(in: environment.expanded(file), namedBy: "\(profile)")
      return try await service.assumeRole(role, withWebIdentity: token)
    }
    let base = try await base(of: profile, usedBy: users)
    return try await service.assumeRole(role, with: base)
  }

  /// Returns the credentials that a profile's role is assumed with.
  private func base(of profile: AWSProfile, usedBy users: [AWSProfile]) async throws(CredentialError) -> AWSCredentials {
    switch (profile["source_profile"], profile["credential_source"]) {
    case (let name?, nil):
      guard let source = config.profile(name) else {
        let missing = config.missingProfile(name)
        throw CredentialError(.invalid, "the source_profile of \(profile): \(missing.message)")
      }
      guard let found = try await credentials(of: source, usedBy: users + [profile]) else {
        throw CredentialError(.invalid, "\(source), the source_profile of \(profile), has no credentials.")
      }
      return found
    case (nil, let kind?):
      let source = try source(kind, of: profile)
      guard let found = try await source.credentials() else {
        throw CredentialError(
          .invalid, "the credential_source of \(profile) is \(source.name), which has none: \(source.absence).")
      }
      return found
    default:
      throw CredentialError(
        .invalid, "\(profile) has a role_arn: expected beside it one of source_profile and credential_source.")
    }
  }

  private func source(_ kind: String, of profile: AWSProfile) throws(CredentialError) -> any CredentialSource {
    switch kind.lowercased() {
    case "environment": return EnvironmentCredentials(environment)
    case "ecscontainer": return ContainerCredentials(environment)
    case "ec2instancemetadata": return InstanceCredentials(environment)
    default:
      throw CredentialError(
        .invalid,
        "credential_source of \(profile) is '\(TerminalSafe.text(kind))', expected Environment, EcsContainer or Ec2InstanceMetadata."
      )
    }
  }

  private func duration(_ profile: AWSProfile) throws(CredentialError) -> Int64? {
    guard let text = profile["duration_seconds"] else { return nil }
    guard let seconds = Int64(text), 900...43_200 ~= seconds else {
      throw CredentialError(
        .invalid, "duration_seconds of \(profile) is '\(TerminalSafe.text(text))', expected 900 to 43200.")
    }
    return seconds
  }
}
