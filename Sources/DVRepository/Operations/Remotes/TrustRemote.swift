import DVFile

/// Confirms for this clone that the server of a remote, which the committed configuration names, may be sent signed requests.
public struct TrustRemote: Sendable {
  private let name: String

  public init(_ name: String) { self.name = name }

  /// Carries it out.
  ///
  /// - Returns: the server that is trusted now; `nil` if the remote needs no trust: it is on AWS, or this user's own configuration
  ///   names its server.
  /// - Throws: ``RepositoryError`` if there is no such remote.
  public func run(in repository: Repository) throws -> String? {
    let remote = try repository.requireRemote(name)
    let settings = try repository.opening(of: remote).bucket.settings
    guard case .s3 = remote.url, settings.endpointIsCommitted, let endpoint = settings.endpoint else { return nil }
    try repository.configuration.set("remote.\(name).trusted", to: endpoint, in: .clone)
    return endpoint
  }
}
