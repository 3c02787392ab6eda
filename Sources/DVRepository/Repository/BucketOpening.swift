import DVBackend
import DVFile
import DVS3
import SystemPackage

/// What it takes to reach a bucket or a web server, away from the repository, which belongs to one task.
struct BucketOpening: Sendable {
  /// The remote's name.
  let name: String
  var settings: BucketSettings
  let environment: @Sendable (String) -> String?
  /// Where this clone keeps what it found out about the server.
  let record: FilePath

  /// Makes the backend of a bucket. Sends nothing.
  ///
  /// - Throws: ``RepositoryError`` with code `usage` for settings that make no sense or an endpoint that nobody confirmed.
  func backend(_ location: S3Location) async throws -> S3Backend {
    let settings = try await resolve(location)
    let known = try? record.readAll(limit: 4096)
    let found = known.flatMap { S3ProbeRecord(decoding: $0) }.flatMap { $0.identity == settings.identity ? $0 : nil }
    return try S3Backend(
      settings, credentials: settings.isAnonymous ? nil : credentials(region: settings.region),
      capabilities: found?.capabilities ?? .untested)
  }

  /// Makes the backend of a web server. Sends nothing.
  func backend(_ endpoint: HTTPEndpoint) throws -> HTTPBackend { try HTTPBackend(endpoint, http: try http(endpoint)) }

  /// Keeps what a probe found out.
  func keep(_ capabilities: S3Capabilities, of location: S3Location) async throws {
    let found = S3ProbeRecord(
      identity: try await resolve(location).identity, time: FileTime.now.seconds, capabilities: capabilities)
    try record.containingDirectory.createDirectories()
    try record.replaceContent(with: found.encoded().span, durable: false)
  }

  private var credentialEnvironment: CredentialEnvironment {
    CredentialEnvironment.system(variable: environment, certificates: certificates)
  }

  private var certificates: FilePath? {
    settings.certificates ?? environment("AWS_CA_BUNDLE").flatMap { $0.isEmpty ? nil : FilePath($0) }
  }

  private func credentials(region: String?) -> CredentialChain {
    let own: RemoteCredentials? =
      if let keys = settings.keys { .keys(keys) } else { settings.profile.map { .profile($0) } }
    return .standard(remote: own, region: region, environment: credentialEnvironment)
  }

  private func resolve(_ location: S3Location) async throws -> S3Settings {
    guard settings.isTrusted else {
      throw RepositoryError(
        .usage,
        "Remote '\(name)' is on the server '\(TerminalSafe.text(settings.endpoint ?? ""))', which only the committed configuration names: "
          + "dv sends it no requests signed with your credentials.",
        remedy: "If you know that server, run 'dv remote trust \(name)' once in this clone.")
    }
    var result = S3Settings(location: location)
    do {
      let text = try settings.endpoint ?? AWSEndpoint.resolve(profile: settings.profile, environment: credentialEnvironment)
      result.endpoint = try text.map { (text) throws(HTTPEndpoint.Malformed) in try HTTPEndpoint(text) }
      result.region = try await AWSRegion.resolve(
        remote: settings.region, profile: settings.profile, environment: credentialEnvironment, askingInstance: false)
    } catch let error as CredentialError {
      throw RepositoryError(
        .usage, "Remote '\(name)': \(error.message)", remedy: "Correct the settings of AWS's programs or of the remote.",
        cause: error)
    } catch let error as HTTPEndpoint.Malformed {
      throw RepositoryError(
        .usage, "Remote '\(name)': \(error)", remedy: "Set remote.\(name).endpoint to 'https://host' or 'https://host:port'.",
        cause: error)
    }
    result.addressing = settings.addressing
    result.encryption = settings.encryption
    result.storageClass = settings.storageClass
    result.requesterPays = settings.requesterPays
    result.isAnonymous = settings.isAnonymous
    result.http = try http(result.endpoint ?? HTTPEndpoint("https://s3.amazonaws.com"))
    return result
  }

  private func http(_ endpoint: HTTPEndpoint) throws -> HTTPSettings {
    do throws(HTTPEndpoint.Malformed) {
      let proxy: HTTPProxy? =
        switch settings.proxy {
        case "none": nil
        case let text?: try HTTPProxy(text)
        case nil: try HTTPProxy(for: endpoint, environment: environment)
        }
      return HTTPSettings(certificates: certificates, proxy: proxy)
    } catch {
      throw RepositoryError(
        .usage, "The proxy for remote '\(name)': \(error)", remedy: "Set it as 'http://host:port'.", cause: error)
    }
  }
}
