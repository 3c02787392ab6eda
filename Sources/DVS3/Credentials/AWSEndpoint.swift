/// Where a service is, if the user's AWS settings say so.
public enum AWSEndpoint {
  /// Returns the URL that the settings name for a service, or `nil` to use AWS's own.
  ///
  /// In this order: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, the service's `endpoint_url` in the section `[services …]` that the
  /// profile names, the profile's `endpoint_url`. None of them if `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
  ///
  /// - Parameters:
  ///   - service: In lower case: `s3`, `sts`.
  ///   - profile: The profile that the remote's settings name; `nil` for the one that the environment chooses.
  /// - Throws: ``CredentialError/Code/invalid`` if it is no URL, or if the profile was named and does not exist.
  public static func resolve(
    service: String = "s3", profile: String?, environment: CredentialEnvironment
  ) throws(CredentialError) -> String? {
    let config = try AWSConfig(environment)
    return try resolve(service, config, try config.selectedProfile(profile, environment), environment)
  }

  static func resolve(
    _ service: String, _ config: AWSConfig, _ profile: AWSProfile?, _ environment: CredentialEnvironment
  ) throws(CredentialError) -> String? {
    guard !environment.isTrue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
      profile?["ignore_configured_endpoint_urls"]?.lowercased() != "true"
    else { return nil }
    var found = environment.setting("AWS_ENDPOINT_URL_\(service.uppercased())") ?? environment.setting("AWS_ENDPOINT_URL")
    if found == nil, let profile {
      found = try config.setting("endpoint_url", ofService: service, in: profile) ?? profile["endpoint_url"]
    }
    guard let found else { return nil }
    // Checked here, where the message can still say what it is.
    _ = try ServiceURL(found)
    return found
  }

  /// Returns the domain under which AWS's services of a region lie, as `amazonaws.com`.
  public static func domain(ofRegion region: String) -> String {
    if region.hasPrefix("cn-") { return "amazonaws.com.cn" }
    if region.hasPrefix("us-isob-") { return "sc2s.sgov.gov" }
    if region.hasPrefix("us-iso-") { return "c2s.ic.gov" }
    if region.hasPrefix("eusc-") { return "amazonaws.eu" }
    return "amazonaws.com"
  }
}

extension SecurityTokenService {
  /// The service that a profile's requests go to.
  ///
  /// - Parameter region: The remote's, for the case that neither the environment nor the profile names one.
  init(
    _ environment: CredentialEnvironment, _ config: AWSConfig, _ profile: AWSProfile?, region: String?
  ) throws(CredentialError) {
    let region = try AWSRegion.checked(environment.region ?? profile?["region"] ?? region ?? AWSRegion.fallback)
    self.init(
      environment: environment, region: region, endpoint: try AWSEndpoint.resolve("sts", config, profile, environment))
  }
}
