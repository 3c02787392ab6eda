import DVGit
public import DVLineage
import DVObject

/// Asks the policy whether a version may have an alias, without moving anything: the operation behind `dv model check`.
public struct CheckModel: Sendable {
  /// What is asked about.
  public enum Target: Sendable {
    /// The tag that gives an alias to a version, by its short name.
    case tag(RegistryTag)
    /// Whoever has the alias now.
    case alias(ModelName, String)
    /// A version as if it were given the alias now.
    case version(ModelName, String, alias: String)
  }

  private let target: Target
  private let environment: [[UInt8]]

  /// - Parameter environment: all variables of the process, for git.
  public init(_ target: Target, environment: [[UInt8]]) {
    self.target = target
    self.environment = environment
  }

  /// Carries it out. That something is missing is in the report and no error.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if there is no such tag, version or alias, or no branch is known that has a policy; `conflict`
  ///   if the alias is contested; `corrupt` if a tag cannot be believed; ``PipelineError`` if the policy makes no sense.
  public func run(in repository: Repository) async throws -> PolicyReport {
    let report: PolicyReport
    switch target {
    case .alias(let name, let alias):
      let model = try repository.model(name)
      guard let state = model.alias(alias), let head = state.heads.first else {
        throw RepositoryError(.usage, "No version of '\(name)' ever had the alias '\(alias)'.", remedy: "'dv model show \(name)' shows what it has.")
      }
      try model.requireUncontested(state)
      report = try await check(head, alias, of: model, in: repository)
    case .tag(let tag):
      let model = try repository.model(tag.model)
      guard let event = model.events.first(where: { $0.tag.name == tag.name }), let alias = event.movedAlias else {
        throw RepositoryError(.usage, "There is no tag '\(tag.name)' that gives an alias.", remedy: "'git fetch --tags' brings those of others.")
      }
      if let problem = event.problem { throw RepositoryError(.corrupt, problem) }
      report = try await check(event, alias, of: model, in: repository)
    case .version(let name, let selector, let alias):
      let model = try repository.model(name)
      let version = try repository.version(selector, of: model)
      let heads = model.alias(alias)?.heads.map(\.tag.object) ?? []
      report = try await PolicyEvaluation(
        repository: repository, model: model, alias: alias, version: version, before: heads,
        isReturn: model.release(registeredBy: version).map { model.hadAlias($0, in: heads) } ?? false, move: nil,
        movers: [try repository.person()].compactMap { $0 }, environment: environment
      ).report()
    }
    guard report.source != nil else {
      throw RepositoryError(
        .usage, "No protected branch is known here, so there is no policy to ask.",
        remedy: "'git fetch origin' brings it; 'dv config model.policyBranch origin/BRANCH' names another than origin's default.")
    }
    return report
  }

  private func check(
    _ move: ModelRegistry.Event, _ alias: String, of model: ModelRegistry.Model, in repository: Repository
  ) async throws -> PolicyReport {
    guard let release = model.release(of: move) else {
      throw RepositoryError(.usage, "'\(move.tag.name)' gives '\(alias)' to no version, and that needs nothing.")
    }
    let version = try repository.version(release.description, of: model)
    let before = model.moves(before: move)
    return try await PolicyEvaluation(
      repository: repository, model: model, alias: alias, version: version, before: before,
      isReturn: model.hadAlias(release, in: before), move: move, movers: [move.alias?.user, move.tag.tagger].compactMap { $0 },
      environment: environment
    ).report()
  }
}

extension ModelRegistry.Model {
  /// Whether a version had the alias at one of these moves or before, by a move that dv recorded: GTO's tags ask no policy.
  func hadAlias(_ release: ModelVersion, in moves: [String]) -> Bool {
    var waiting = moves
    var seen: Set<String> = []
    while let object = waiting.popLast() {
      guard seen.insert(object).inserted, let event = events.first(where: { $0.tag.object == object }) else { continue }
      if event.alias?.release == release { return true }
      waiting += self.moves(before: event)
    }
    return false
  }
}
