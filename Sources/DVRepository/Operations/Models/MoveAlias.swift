import DVGit
public import DVLineage
import DVObject

/// Gives an alias of a model to one of its versions, or takes it away: the operation behind `dv model promote` and `rollback`.
public struct MoveAlias: Sendable {
  /// Which version gets it.
  public enum Destination: Sendable {
    case version(ModelVersion)
    /// The version that had it before the one that has it now.
    case before
    case nobody
  }

  private let model: ModelName
  private let alias: String
  private let destination: Destination
  private let reason: String?
  private let resolves: Bool
  private let isSigned: Bool
  private let environment: [[UInt8]]

  /// - Parameters:
  ///   - resolves: whether this decides between moves that contest the alias.
  ///   - isSigned: whether git must sign the tag.
  ///   - environment: all variables of the process, for git.
  public init(
    _ model: ModelName, _ alias: String, to destination: Destination, reason: String? = nil, resolves: Bool = false,
    isSigned: Bool = false, environment: [[UInt8]]
  ) {
    (self.model, self.alias, self.destination, self.reason) = (model, alias, destination, reason)
    (self.resolves, self.isSigned, self.environment) = (resolves, isSigned, environment)
  }

  /// Carries it out.
  ///
  /// - Throws: ``PolicyRefusal`` with all that is missing if the policy does not let the version have the alias; ``RepositoryError/Code/usage`` if
  ///   there is no such version, or it has the alias already; `conflict` if the alias is contested and this is not to resolve it.
  public func run(in repository: Repository) async throws -> TagReport {
    guard RegistryTag.isAlias(alias) else {
      throw RepositoryError(.usage, "'\(alias)' cannot be an alias: letters, digits, '-' and '_', with a letter or digit at both ends, and no version.")
    }
    let known = try repository.model(model)
    let state = known.alias(alias)
    if let state, !resolves { try known.requireUncontested(state) }
    let heads = state?.heads ?? []
    if resolves, heads.count < 2, state?.problem == nil {
      throw RepositoryError(.usage, "The alias '\(alias)' of '\(model)' is not contested: there is nothing to resolve.")
    }
    let release = try wanted(of: known, heads)
    let holder = heads.count == 1 ? heads.first.flatMap { known.release(of: $0) } : nil
    if heads.count <= 1, let release, holder == release {
      throw RepositoryError(.usage, "\(model)@\(release) has the alias '\(alias)' already.")
    }
    if release == nil, holder == nil, heads.count <= 1 {
      throw RepositoryError(.usage, "No version of '\(model)' has the alias '\(alias)'.")
    }
    let version = try release.map { try repository.version($0.description, of: known) } ?? holder.map { try repository.version($0.description, of: known) }
    guard let commit = version?.tag.commit ?? heads.first?.tag.commit else {
      throw RepositoryError(.corrupt, "The tag of \(model)@\(release?.description ?? alias) leads to no commit.")
    }
    var policy: PolicyReport?
    if release != nil, let version { policy = try await ask(version, of: known, heads, in: repository) }
    let record = try AliasRecord(
      model: model, alias: alias, release: release, previous: heads.first?.tag.object,
      resolves: heads.dropFirst().map(\.tag.object), reason: reason.map { String($0.prefix(400)) }, policy: policy?.source?.blob,
      evidence: policy?.evidence ?? [], time: Moment.milliseconds, user: repository.person()
    ).encoded()
    let tag = RegistryTag(model, release == nil ? .unassign(alias) : .assign(alias), counter: known.nextCounter)
    let title = release.map { "Assign \(alias) to \(model) \($0)" } ?? "Take \(alias) from \(model)"
    let mustSign = policy?.source?.policy?.requirements(of: alias, for: model)?.signedTags ?? false
    try await TagWriting(repository: repository, environment: environment, isSigned: isSigned || mustSign).write(
      tag, at: commit, message: TagMessage.text(title: title, description: reason, record: record))
    return TagReport(
      tag: tag.name, model: model, release: release, alias: alias, commit: commit, previous: holder, record: record.id, policy: policy)
  }

  /// Asks the policy before anything is written.
  private func ask(
    _ version: ModelRegistry.Event, of known: ModelRegistry.Model, _ heads: [ModelRegistry.Event], in repository: Repository
  ) async throws -> PolicyReport {
    let before = heads.map(\.tag.object)
    let isReturn = known.release(registeredBy: version).map { known.hadAlias($0, in: before) } ?? false
    let report = try await PolicyEvaluation(
      repository: repository, model: known, alias: alias, version: version, before: before, isReturn: isReturn, move: nil,
      movers: [try repository.person()].compactMap { $0 }, environment: environment
    ).report()
    guard report.isFulfilled else { throw PolicyRefusal(report: report) }
    return report
  }

  private func wanted(of known: ModelRegistry.Model, _ heads: [ModelRegistry.Event]) throws -> ModelVersion? {
    switch destination {
    case .nobody: return nil
    case .version(let version):
      guard known.version(version) != nil else {
        throw RepositoryError(
          .usage, "Model '\(model)' has no version \(version).", remedy: "'dv model show \(model)' shows what it has.")
      }
      return version
    case .before:
      guard let head = heads.first else { throw RepositoryError(.usage, "'\(model)' never had the alias '\(alias)'.") }
      // Back along the chain to the first other version: after two rollbacks in a row one is not where one began.
      let current = known.release(of: head)
      var seen: Set<String> = [head.tag.object]
      var skipped: Set<ModelVersion> = current.map { [$0] } ?? []
      var at: ModelRegistry.Event? = head
      while let move = at, let object = known.moves(before: move).first, seen.insert(object).inserted {
        at = known.events.first { $0.tag.object == object }
        guard let event = at, let release = known.release(of: event), known.version(release) != nil else { continue }
        if skipped.insert(release).inserted { return release }
      }
      throw RepositoryError(
        .usage, "No other version of '\(model)' had the alias '\(alias)' before.",
        remedy: "'dv model history \(model)' shows who had it; 'dv model promote' gives it to any.")
    }
  }
}

extension ModelRegistry.Model {
  /// The version that a tag registers.
  func release(registeredBy event: ModelRegistry.Event) -> ModelVersion? {
    if case .register(let release) = event.parsed.action { release } else { nil }
  }
}
