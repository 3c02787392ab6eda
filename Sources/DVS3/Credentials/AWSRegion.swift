import DVFile

/// Where a bucket lies, in AWS's words: what requests are signed for, and a part of host names.
public enum AWSRegion {
  /// What AWS takes for a region that nobody named, and what most other stores accept.
  public static let fallback = "us-east-1"

  /// Returns the region to use: the remote's, `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, the instance's, or else ``fallback``.
  ///
  /// - Parameters:
  ///   - remote: What the remote's settings say.
  ///   - profile: The profile that the remote's settings name; `nil` for the one that the environment chooses.
  ///   - askingInstance: Whether the instance's metadata may be asked if nothing else says it. Costs up to 2 s where there is none: only for
  ///     AWS itself, where a wrong region means another host.
  /// - Throws: ``CredentialError/Code/invalid`` if it has characters that no region has, or if the profile was named and does not exist.
  public static func resolve(
    remote: String?, profile: String?, environment: CredentialEnvironment, askingInstance: Bool
  ) async throws(CredentialError) -> String {
    let config = try AWSConfig(environment)
    if let region = remote ?? environment.region { return try checked(region) }
    if let region = try config.selectedProfile(profile, environment)?["region"] { return try checked(region) }
    if askingInstance, let region = await instanceRegion(environment) { return try checked(region) }
    return fallback
  }

  /// - Throws: ``CredentialError/Code/invalid`` if `region` could not stand in a host name. Other stores than AWS have names of their own.
  static func checked(_ region: String) throws(CredentialError) -> String {
    let isName = region.utf8.allSatisfy { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
    guard isName, 1...63 ~= region.utf8.count else {
      throw CredentialError(
        .invalid, "'\(TerminalSafe.text(region))' is no region: expected letters, digits and '-', as 'eu-central-1'.")
    }
    return region
  }

  /// That the instance does not tell is no error: there is a fallback, and the bucket's answer names the right one.
  private static func instanceRegion(_ environment: CredentialEnvironment) async -> String? {
    do throws(CredentialError) {
      guard let metadata = try InstanceMetadata(environment), let token = try await metadata.token(),
        let answer = try await metadata.get("placement/region", token: token)
      else { return nil }
      return String(decoding: answer.trimmingSpace, as: UTF8.self)
    } catch { return nil }
  }
}

extension CredentialEnvironment {
  /// The region that the environment names.
  var region: String? { setting("AWS_REGION") ?? setting("AWS_DEFAULT_REGION") }

  /// The profile that the environment chooses.
  var selectedProfileName: String? { setting("AWS_PROFILE") ?? setting("AWS_DEFAULT_PROFILE") }
}
