import DVFile

/// The settings that a user's AWS programs share: `~/.aws/config` and `~/.aws/credentials`, or the files that `AWS_CONFIG_FILE` and
/// `AWS_SHARED_CREDENTIALS_FILE` name.
public struct AWSConfig: Sendable {
  private let profiles: [String: AWSProfile]
  private let sessions: [String: [String: String]]
  private let services: [String: [String: [String: String]]]
  /// The two files, for messages.
  let places: String

  /// Reads both files. One that does not exist counts as empty.
  ///
  /// - Throws: ``CredentialError/Code/invalid`` if one is unreadable or not well formed.
  public init(_ environment: CredentialEnvironment) throws(CredentialError) {
    let config = try Self.file("AWS_CONFIG_FILE", "config", environment)
    let credentials = try Self.file("AWS_SHARED_CREDENTIALS_FILE", "credentials", environment)
    places = [config.path, credentials.path].map { "'\(TerminalSafe.text($0))'" }.joined(separator: " and ")

    var configProfiles: [String: AWSConfigFile.Section] = [:]
    var sessions: [String: [String: String]] = [:]
    var services: [String: [String: [String: String]]] = [:]
    for (header, section) in config.file?.sections ?? [:] {
      switch Self.kind(of: header) {
      case ("profile", let name): configProfiles[name] = section
      case ("sso-session", let name): sessions[name] = section.values
      case ("services", let name): services[name] = section.nested
      default: continue
      }
    }
    // '[default]' counts only where there is no '[profile default]', as in AWS's own programs.
    if configProfiles["default"] == nil { configProfiles["default"] = config.file?.sections["default"] }

    let credentialProfiles = credentials.file?.sections ?? [:]
    var profiles: [String: AWSProfile] = [:]
    for name in Set(configProfiles.keys).union(credentialProfiles.keys) {
      profiles[name] = AWSProfile(name: name, config: configProfiles[name], credentials: credentialProfiles[name])
    }
    self.profiles = profiles
    self.sessions = sessions
    self.services = services
  }

  /// Returns the profile of this name, or `nil` if neither file has it.
  public func profile(_ name: String) -> AWSProfile? { profiles[name] }

  /// Returns the profile to use: the one of this name, or the one that the environment chooses.
  ///
  /// - Parameter name: What a remote's settings name; `nil` to take `AWS_PROFILE`, or else `default`.
  /// - Returns: `nil` if none was named and there is no `default`.
  /// - Throws: ``CredentialError/Code/invalid`` if one was named and does not exist.
  public func selectedProfile(_ name: String?, _ environment: CredentialEnvironment) throws(CredentialError) -> AWSProfile? {
    guard let named = name ?? environment.selectedProfileName else {
      return profiles["default"]
    }
    if let profile = profiles[named] { return profile }
    throw missingProfile(named)
  }

  func missingProfile(_ name: String) -> CredentialError {
    let known = profiles.keys.sorted().prefix(12).map { "'\(TerminalSafe.text($0))'" }.joined(separator: ", ")
    let hint = profiles.isEmpty ? "There is none at all." : "There are: \(known)."
    return CredentialError(.invalid, "there is no profile '\(TerminalSafe.text(name))' in \(places). \(hint)")
  }

  /// Returns a property of `[sso-session name]`, or `nil` if there is no such session.
  func session(_ name: String) -> [String: String]? { sessions[name] }

  /// Returns a property of a service in the section `[services …]` that the profile names.
  ///
  /// - Throws: ``CredentialError/Code/invalid`` if the profile names a section that does not exist.
  func setting(_ name: String, ofService service: String, in profile: AWSProfile) throws(CredentialError) -> String? {
    guard let section = profile["services"] else { return nil }
    guard let services = services[section] else {
      throw CredentialError(
        .invalid, "\(profile) names '[services \(TerminalSafe.text(section))]', which is not in \(places).")
    }
    return services[service]?[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func file(
    _ variable: String, _ name: String, _ environment: CredentialEnvironment
  ) throws(CredentialError) -> (path: String, file: AWSConfigFile?) {
    guard let path = environment.path(variable) ?? environment.home.map({ "\($0)/.aws/\(name)" }) else {
      return ("~/.aws/\(name)", nil)
    }
    guard let bytes = try environment.content(path) else { return (path, nil) }
    return (path, try AWSConfigFile(bytes, path: path))
  }

  /// Returns the kind and the name of a section, as `profile` and `lab` for `[profile lab]`. The name may be quoted.
  private static func kind(of header: String) -> (Substring, String) {
    guard let space = header.firstIndex(of: " ") else { return ("", header) }
    let name = header[header.index(after: space)...]
    let isQuoted = name.count >= 2 && (name.first == "\"" || name.first == "'") && name.first == name.last
    return (header[..<space], String(isQuoted ? name.dropFirst().dropLast() : name))
  }
}
