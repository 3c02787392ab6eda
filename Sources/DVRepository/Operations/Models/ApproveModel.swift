import DVGit
public import DVLineage
import DVObject

/// Signs that a version may take an alias, as a tag that git carries: the operation behind `dv model approve`.
public struct ApproveModel: Sendable {
  private let model: ModelName
  private let selector: String
  private let alias: String?
  private let key: SigningKey
  private let reason: String?
  private let environment: [[UInt8]]

  public struct Report: Sendable {
    public let model: ModelName
    public let release: ModelVersion
    public let alias: String?
    public let tag: String
    /// The SHA-256 of the public key in PEM, as hex digits.
    public let key: String
    /// Whose key it is in the user's trust store; `nil` if it is not there.
    public let person: String?
  }

  /// - Parameters:
  ///   - alias: the alias that it is for; `nil` for any.
  ///   - environment: all variables of the process, for git.
  public init(
    _ model: ModelName, _ selector: String, for alias: String?, key: SigningKey, reason: String? = nil, environment: [[UInt8]]
  ) {
    (self.model, self.selector, self.alias, self.key) = (model, selector, alias, key)
    (self.reason, self.environment) = (reason, environment)
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for what one registered oneself, which would not count, or approved already; `corrupt` if
  ///   the version's tag says other things than its commit.
  public func run(in repository: Repository) async throws -> Report {
    if let alias, !RegistryTag.isAlias(alias) { throw RepositoryError(.usage, "'\(alias)' cannot be an alias.") }
    let event = try repository.version(selector, of: repository.model(model))
    let record = try event.dvRecord
    try repository.requireCommitted(record)
    let user = try repository.person()
    let owners = [record.user, event.tag.tagger].compactMap { $0.map { PersonName($0) } }
    let signer = try repository.trustStore().keys.first { $0.fingerprint == key.publicKey.hint }
    for person in [user, signer?.person].compactMap({ $0 }) where owners.contains(PersonName(person)) {
      throw RepositoryError(
        .usage, "\(person) registered \(model)@\(record.release): an approval of one's own does not count.",
        remedy: "Ask somebody else to approve of it.")
    }
    let tag = try await AttestationWriting(repository: repository, environment: environment).write(
      Attestation(
        .approval, of: record, tag: event.tag.object, alias: alias, reason: reason.map { String($0.prefix(400)) },
        time: Moment.milliseconds, user: user), key)
    return Report(
      model: model, release: record.release, alias: alias, tag: tag, key: key.publicKey.hint, person: signer?.person)
  }
}

/// Signs an attestation and puts it into a tag at the version's commit, so that git carries it with the commit.
struct AttestationWriting {
  let repository: Repository
  let environment: [[UInt8]]

  /// - Returns: the short name of the tag.
  func write(_ attestation: Attestation, _ key: SigningKey) async throws -> String {
    let name = attestation.tagName(signedBy: key.publicKey)
    guard try repository.git.tags(messageLimit: 0, where: { $0 == name }).isEmpty else {
      throw RepositoryError(
        .usage, "This key has signed that already: the tag '\(name)' is there.", remedy: "Share it: git push origin '\(name)'")
    }
    let bundle = try SignedBundle(attestation.statement, key: key)
    try await TagWriting(repository: repository, environment: environment, isSigned: false).write(
      name, at: attestation.commit, message: attestation.message(bundle))
    return name
  }
}
