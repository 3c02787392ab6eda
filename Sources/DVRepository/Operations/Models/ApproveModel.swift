import DVGit
public import DVLineage
import DVObject

/// Signs that a version may take an alias, or takes that back, in a tag that git carries: the operation behind `dv model approve`.
public struct ApproveModel: Sendable {
  private let model: ModelName
  private let selector: String
  private let alias: String?
  private let key: SigningKey
  private let reason: String?
  private let withdraws: Bool
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
    /// Whether an approval was taken back.
    public let isWithdrawal: Bool
  }

  /// - Parameters:
  ///   - alias: the alias that it is for; `nil` for any.
  ///   - withdraws: whether to take back what this key, or another of the same person, approved of until now.
  ///   - environment: all variables of the process, for git.
  public init(
    _ model: ModelName, _ selector: String, for alias: String?, key: SigningKey, reason: String? = nil, withdraws: Bool = false,
    environment: [[UInt8]]
  ) {
    (self.model, self.selector, self.alias, self.key) = (model, selector, alias, key)
    (self.reason, self.withdraws, self.environment) = (reason, withdraws, environment)
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for what one registered oneself, which would not count, or approved already, and if there
  ///   is no approval that could be taken back; `corrupt` if the version's tag says other things than its commit.
  public func run(in repository: Repository) async throws -> Report {
    if let alias, !RegistryTag.isAlias(alias) { throw RepositoryError(.usage, "'\(alias)' cannot be an alias.") }
    let event = try repository.version(selector, of: repository.model(model))
    let record = try event.dvRecord
    try repository.requireCommitted(record)
    let user = try repository.person()
    let signer = try repository.trustStore().keys.first { $0.fingerprint == key.publicKey.hint }
    let earlier = try earlier(of: signer?.person, record, event, in: repository)
    if withdraws {
      try requireStanding(earlier, record)
    } else {
      try requireNew(earlier, record)
      let owners = [record.user, event.tag.tagger].compactMap { $0.map { PersonName($0) } }
      for person in [user, signer?.person].compactMap({ $0 }) where owners.contains(PersonName(person)) {
        throw RepositoryError(
          .usage, "\(person) registered \(model)@\(record.release): an approval of one's own does not count.",
          remedy: "Ask somebody else to approve of it.")
      }
    }
    // What was signed last counts, so it must be later whatever this clock says.
    let time = max(Moment.milliseconds, (earlier.map(\.attestation.time).max() ?? 0) + 1)
    let tag = try await AttestationWriting(repository: repository, environment: environment).write(
      Attestation(
        withdraws ? .withdrawal : .approval, of: record, tag: event.tag.object, alias: alias, reason: reason.map { String($0.prefix(400)) },
        time: time, user: user), key, isRepeated: true)
    return Report(
      model: model, release: record.release, alias: alias, tag: tag, key: key.publicKey.hint, person: signer?.person,
      isWithdrawal: withdraws)
  }

  // MARK: - What was signed before

  private typealias Earlier = (attestation: Attestation, tag: String, isOwnKey: Bool)

  /// What this key, or another that is trusted to be of the same person, signed about the version.
  private func earlier(
    of person: String?, _ record: ModelRecord, _ event: ModelRegistry.Event, in repository: Repository
  ) throws -> [Earlier] {
    var keys = [key.publicKey.hint: key.publicKey]
    if let person {
      for other in try repository.trustStore().keys where PersonName(other.person) == PersonName(person) { keys[other.fingerprint] = other.key }
    }
    return try repository.attestations(of: record, event).compactMap { signed in
      guard let hint = signed.hint, let key = keys[hint], let attestation = try? signed.attestation(verifiedBy: key) else { return nil }
      return attestation.kind == .signature ? nil : (attestation, signed.tag, hint == self.key.publicKey.hint)
    }
  }

  /// - Throws: ``RepositoryError/Code/usage`` if the key has approved of just that, and nothing of it was taken back since.
  private func requireNew(_ earlier: [Earlier], _ record: ModelRecord) throws {
    for (approval, tag, _) in earlier.filter({ $0.isOwnKey && $0.attestation.kind == .approval && $0.attestation.alias == alias }) {
      let isTakenBack = earlier.contains { other, _, _ in
        other.kind == .withdrawal && other.time >= approval.time && (other.alias == nil || alias == nil || other.alias == alias)
      }
      guard isTakenBack else {
        throw RepositoryError(
          .usage, "This key has approved of \(model)@\(record.release) already: the tag '\(tag)' is there.",
          remedy: "Share it: git push origin '\(tag)'")
      }
    }
  }

  /// - Throws: ``RepositoryError/Code/usage`` unless there is an approval that is not taken back yet.
  private func requireStanding(_ earlier: [Earlier], _ record: ModelRecord) throws {
    let stands = earlier.contains { approval, _, _ in
      approval.kind == .approval && (approval.alias == nil || alias == nil || approval.alias == alias)
        && !earlier.contains { other, _, _ in
          other.kind == .withdrawal && other.time >= approval.time
            && (other.alias == nil || other.alias == alias || other.alias == approval.alias)
        }
    }
    guard stands else {
      let purpose = alias.map { " for '\($0)'" } ?? ""
      throw RepositoryError(
        .usage, "There is no approval of \(model)@\(record.release)\(purpose) by this key that could be taken back.",
        remedy: "'git fetch --tags' brings those that were made elsewhere.")
    }
  }
}
