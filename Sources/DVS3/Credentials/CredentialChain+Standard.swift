/// What a remote's own settings say of credentials. They stand in this clone's or the user's configuration, never in the
/// committed one.
public enum RemoteCredentials: Sendable {
  case keys(AWSCredentials)
  case profile(String)
}

extension CredentialChain {
  /// Makes the chain of AWS's own programs: the environment, web identity, the shared files, the container's service, the
  /// instance's metadata.
  ///
  /// - Parameters:
  ///   - remote: What the remote's settings say. Then nothing else is asked: a person who names a key wants no other.
  ///   - region: The remote's region, for services that give out credentials, if neither the environment nor the profile names one.
  public static func standard(
    remote: RemoteCredentials?, region: String?, environment: CredentialEnvironment
  ) -> CredentialChain {
    let sources: [any CredentialSource] =
      switch remote {
      case .keys(let credentials): [StaticCredentials(credentials)]
      case .profile(let name): [ProfileCredentials(environment, profile: name, region: region)]
      case nil:
        [
          EnvironmentCredentials(environment),
          WebIdentityCredentials(environment, region: region),
          ProfileCredentials(environment, profile: nil, region: region),
          ContainerCredentials(environment),
          InstanceCredentials(environment),
        ]
      }
    return CredentialChain(sources, now: environment.now)
  }
}
