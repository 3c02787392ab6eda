import DVFile
import DVGit
import DVS3
import SystemPackage

/// What the configuration says of a remote that is reached over a network: `remote.<name>.<key>`.
struct BucketSettings: Sendable {
  /// The server, and whether the committed configuration alone names it.
  var endpoint: String?
  var endpointIsCommitted = false
  /// The endpoint of a committed configuration that this clone confirmed.
  var trusted: String?
  var region: String?
  var addressing = S3Settings.Addressing.automatic
  var encryption: S3Settings.Encryption?
  var storageClass: String?
  var requesterPays = false
  var isAnonymous = false
  var profile: String?
  var keys: AWSCredentials?
  /// A file of certificates to trust.
  var certificates: FilePath?
  /// A proxy in place of the environment's; `none` for no proxy.
  var proxy: String?

  /// Settings of a bucket of which nothing is configured.
  init() {}

  init(of name: String, in configuration: Configuration, base: FilePath) throws {
    func text(_ key: String) throws -> String? {
      guard let value = try configuration.string("remote.\(name).\(key)"), !value.isEmpty else { return nil }
      guard key == "endpoint" || key == "proxy" || key == "caFile" || S3Settings.isHeaderValue(value) else {
        throw RepositoryError(.usage, "remote.\(name).\(key) has characters that cannot be sent.", remedy: "Correct it.")
      }
      return value
    }
    endpoint = try text("endpoint")
    let entry = try configuration.entry("remote.\(name).endpoint")
    endpointIsCommitted = endpoint != nil && Configuration.Place(entry?.level) == .project
    trusted = try text("trusted")
    region = try text("region")
    if let region, !S3Settings.isRegion(region) {
      throw RepositoryError(
        .usage, "remote.\(name).region is '\(TerminalSafe.text(region))', which is no region.",
        remedy: "Write it as in 'eu-central-1'.")
    }
    if let word = try text("addressing") {
      guard let addressing = S3Settings.Addressing(rawValue: word) else {
        throw RepositoryError(
          .usage, "remote.\(name).addressing is '\(TerminalSafe.text(word))'.", remedy: "Use 'auto', 'path' or 'virtual'.")
      }
      self.addressing = addressing
    }
    let key = try text("sseKmsKeyId")
    switch try text("sse") {
    case nil: encryption = key.map { .kms(key: $0) }
    case "AES256", "s3": encryption = .s3
    case "aws:kms", "kms": encryption = .kms(key: key)
    case let other?:
      throw RepositoryError(
        .usage, "remote.\(name).sse is '\(TerminalSafe.text(other))'.", remedy: "Use 'AES256' or 'aws:kms'.")
    }
    storageClass = try text("storageClass")
    requesterPays = try configuration.bool("remote.\(name).requesterPays") ?? false
    isAnonymous = try configuration.bool("remote.\(name).anonymous") ?? false
    profile = try text("profile")
    certificates = try text("caFile").map { base.pushing(FilePath($0)) }
    proxy = try text("proxy")
    if let id = try text("accessKeyId") {
      guard let secret = try text("secretAccessKey") else {
        throw RepositoryError(
          .usage, "remote.\(name).accessKeyId is set, and remote.\(name).secretAccessKey is not.", remedy: "Set both.")
      }
      keys = AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: try text("sessionToken"))
    }
  }

  /// Takes over what the user gives on the command line, which counts as confirmed.
  mutating func apply(_ options: AddRemote.BucketOptions) throws {
    if let endpoint = options.endpoint { (self.endpoint, endpointIsCommitted) = (endpoint, false) }
    if let region = options.region {
      guard S3Settings.isRegion(region) else {
        throw RepositoryError(
          .usage, "'\(TerminalSafe.text(region))' is no region.", remedy: "Write it as in 'eu-central-1'.")
      }
      self.region = region
    }
    if let word = options.addressing {
      guard let addressing = S3Settings.Addressing(rawValue: word) else {
        throw RepositoryError(
          .usage, "'\(TerminalSafe.text(word))' is no way to address a bucket.", remedy: "Use 'auto', 'path' or 'virtual'.")
      }
      self.addressing = addressing
    }
    if let profile = options.profile { self.profile = profile }
    if options.isAnonymous { isAnonymous = true }
  }

  /// Whether requests signed with the user's credentials may go to the server.
  ///
  /// Whoever may push to the project can write its committed configuration. That must not suffice to make everybody's dv send its
  /// access key and session token, and then data, to a server of his.
  var isTrusted: Bool { !endpointIsCommitted || isAnonymous || trusted == endpoint }
}
