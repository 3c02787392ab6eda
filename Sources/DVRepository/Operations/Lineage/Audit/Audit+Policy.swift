import DVFile
import DVGit
import DVLineage
import DVPipeline

extension Audit {
  /// Versions that have aliases must be what the protected branch's policy asks for: asked again, with the keys that are trusted here now.
  mutating func policy() async throws {
    let source: ProtectedPolicy?
    do {
      source = try ProtectedPolicy.read(in: repository)
    } catch let error as RepositoryError where error.code == .usage {
      return find(.gap, "policy-unreadable", ModelPolicy.path, error.message)
    } catch let error as PipelineError {
      return find(.gap, "policy-unreadable", ModelPolicy.path, error.message)
    }
    guard let source else { return }
    report.policy = .init(branch: source.branchName, commit: source.commit, blob: source.blob)
    let registry = try repository.modelRegistry().models.values.sorted { $0.name < $1.name }
    for model in registry { for event in model.events where isAsked(.tag(event.tag.name)) { try evidence(of: event) } }
    guard let policy = source.policy, try keys(of: policy, source) else { return }
    for model in registry {
      for state in model.aliases where !state.isContested && state.problem == nil {
        if let move = state.heads.first { try await holder(of: state.alias, by: move, of: model, policy) }
      }
    }
  }

  /// Asks the policy of the version that has an alias.
  private mutating func holder(
    of alias: String, by move: ModelRegistry.Event, of model: ModelRegistry.Model, _ policy: ModelPolicy
  ) async throws {
    guard policy.requirements(of: alias, for: model.name) != nil, let version = model.release(of: move).flatMap({ model.version($0) }),
      version.problem == nil
    else { return }
    // Who asks about a version asks about all of its aliases; who asks about one alias not.
    let asksOfMoves = model.events.contains { $0.movedAlias != nil && isAsked(.tag($0.tag.name)) }
    guard isAsked(.tag(move.tag.name)) || (!asksOfMoves && isAsked(.tag(version.tag.name))) else { return }
    let subject = "\(model.name)@\(alias)"
    do {
      let answer = try await CheckModel(.alias(model.name, alias), environment: environment).run(in: repository)
      for check in answer.checks where !check.passes { find(.gap, "policy", subject, "\(check.name): \(check.finding)") }
    } catch let error as RepositoryError {
      find(.gap, "policy", subject, "What the policy asks for cannot be judged: \(error.message)")
    }
  }

  /// What a move says of the policy that let it pass: one that git holds, and each of its checks.
  private mutating func evidence(of move: ModelRegistry.Event) throws {
    guard let record = move.alias, let named = record.policy, record.release != nil, let blob = try? GitObjectID(hex: named) else { return }
    guard let bytes = try? repository.git.readBlob(blob, limit: ModelPolicy.maximumByteCount) else {
      let why = try repository.git.isShallow ? "older history is not in this shallow clone" : "in no history here"
      return find(.gap, "unknown-policy", move.tag.name, "It passed the policy \(named.prefix(12)), which is not here: \(why).")
    }
    guard let policy = try? ModelPolicy(parsing: bytes, named: ModelPolicy.path) else {
      return find(.gap, "unknown-policy", move.tag.name, "It passed \(named.prefix(12)), which is no policy that this dv can read.")
    }
    let found = Set(record.evidence.map(\.check))
    let missing = (policy.requirements(of: record.alias, for: record.model)?.checkNames ?? []).filter { !found.contains($0) }
    if !missing.isEmpty {
      find(
        .gap, "no-evidence", move.tag.name,
        "The policy \(named.prefix(12)) that it names asks for more than its evidence shows: \(missing.joined(separator: ", ")).")
    }
  }

  /// Tells which keys and roles a policy names that nobody is trusted for here.
  ///
  /// - Returns: whether the trust store can be read.
  private mutating func keys(of policy: ModelPolicy, _ source: ProtectedPolicy) throws -> Bool {
    let store: TrustStore
    do {
      store = try repository.trustStore()
    } catch let error as RepositoryError where error.code == .usage {
      find(.gap, "trust-store", "trust store", error.message)
      return false
    } catch let error as PipelineError {
      find(.gap, "trust-store", "trust store", error.message)
      return false
    }
    guard scope == nil else { return true }
    let file = try repository.trustStoreFile()?.file.printable ?? "there is none"
    for pattern in policy.keyPatterns where !store.keys.contains(where: { $0.matches([pattern]) }) {
      let kind: String =
        switch pattern {
        case .role: "role"
        case .fingerprint: "key"
        }
      find(
        .gap, "unknown-key", "\(kind) \(pattern)",
        "The policy of \(source.branchName) names this \(kind), and no key of the trust store (\(file)) is of it: what it signed cannot be believed here.")
    }
    return true
  }
}
