/// What AWS's two files say under one name.
///
/// Some of it are secrets; printing one shows its name only.
public struct AWSProfile: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public let name: String
  private let values: [String: String]
  private let nested: [String: [String: String]]

  /// - Parameters:
  ///   - config: Its section of the file `config`.
  ///   - credentials: Its section of the file `credentials`, which counts more.
  init(name: String, config: AWSConfigFile.Section?, credentials: AWSConfigFile.Section?) {
    self.name = name
    var values = config?.values ?? [:]
    if credentials?.values["aws_access_key_id"] != nil {
      // A key pair is one thing: the token of one file does not belong to the keys of the other.
      for name in ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"] { values[name] = nil }
    }
    self.values = values.merging(credentials?.values ?? [:]) { $1 }
    nested = (config?.nested ?? [:]).merging(credentials?.nested ?? [:]) { $1 }
  }

  /// Returns a property by its name in lower case, or `nil` if it is not there or empty.
  public subscript(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// Returns a property below another, as `addressing_style` below `s3`, or `nil` if it is not there or empty.
  public subscript(_ name: String, _ inner: String) -> String? {
    nested[name]?[inner].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The key pair in it, if there is one.
  ///
  /// - Throws: ``CredentialError/Code/invalid`` if only half of it is there.
  func keys() throws(CredentialError) -> AWSCredentials? {
    let (key, secret) = (self["aws_access_key_id"], self["aws_secret_access_key"])
    guard key != nil || secret != nil else { return nil }
    guard let key, let secret else {
      let missing = key == nil ? "aws_access_key_id" : "aws_secret_access_key"
      throw CredentialError(.invalid, "profile '\(printableName)' has no '\(missing)'. Set it, or remove the other half of the key.")
    }
    return try AWSCredentials(
      checking: key, secret: secret, token: self["aws_session_token"], from: "profile '\(printableName)'")
  }

  public var description: String { "profile '\(printableName)'" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
