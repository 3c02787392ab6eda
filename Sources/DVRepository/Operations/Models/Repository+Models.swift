import DVGit
public import DVLineage
import DVObject
import DVWorkspace

extension Repository {
  /// Reads the registry of models from the tags of this clone.
  ///
  /// - Complexity: O(*n*) in the tags; the messages of those of models are read.
  public func modelRegistry() throws -> ModelRegistry {
    let removals = try Removals(in: self).byObject.values.map { removal in
      let object = try? GitObjectID(hex: removal.record.object)
      let removed = object.flatMap { git.tag($0, messageLimit: TagMessage.maximumByteCount) }
      return (removal.record, removal.tag, removed.map { TagContent($0) })
    }
    return ModelRegistry(
      try git.tags(messageLimit: TagMessage.maximumByteCount) { RegistryTag($0) != nil }.map { TagContent($0) }, removals: removals)
  }

  /// Returns a model of the registry.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if no tag is of it.
  public func model(_ name: ModelName) throws -> ModelRegistry.Model {
    guard let model = try modelRegistry().models[name], !model.events.isEmpty else {
      throw RepositoryError(
        .usage, "No model '\(name)' is registered here.",
        remedy: "'dv model list' lists those that are; '\(try git.isShallow ? "git fetch --unshallow --tags" : "git fetch --tags")' brings those of others.")
    }
    return model
  }

  /// Returns a model of which something is on record, if only that all its tags were removed.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if nothing is.
  public func recordedModel(_ name: ModelName) throws -> ModelRegistry.Model {
    if let model = try modelRegistry().models[name] { return model }
    return try model(name)
  }

  /// Returns the version that `selector` means: `v1.2.0`, an alias, or `latest`.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if there is none; `conflict` if the alias is contested; `corrupt` if the tag's record
  ///   cannot be believed.
  public func version(_ selector: String, of model: ModelRegistry.Model) throws -> ModelRegistry.Event {
    let release: ModelVersion
    if selector == "latest" {
      guard let last = model.versions.last(where: { $0.release.prerelease.isEmpty }) ?? model.versions.last else {
        throw RepositoryError(.usage, "Model '\(model.name)' has no version.")
      }
      release = last.release
    } else if let version = ModelVersion(selector) {
      release = version
    } else {
      guard let state = model.alias(selector), let head = state.heads.first else {
        throw RepositoryError(
          .usage, "Model '\(model.name)' has neither a version nor an alias '\(selector)'.",
          remedy: "'dv model show \(model.name)' shows what it has.")
      }
      try model.requireUncontested(state)
      guard let held = model.release(of: head) else {
        throw RepositoryError(.usage, "No version of '\(model.name)' has the alias '\(selector)' now.")
      }
      release = held
    }
    guard let event = model.version(release) else {
      throw RepositoryError(
        .usage, "Model '\(model.name)' has no version \(release)\(try git.isShallow ? " in this shallow clone" : "").",
        remedy: try git.isShallow ? "'git fetch --unshallow --tags' brings what there is." : "'dv model show \(model.name)' shows what it has.")
    }
    if let problem = event.problem { throw RepositoryError(.corrupt, problem) }
    return event
  }

  /// Git's committer as it would be written now.
  func person() throws -> String? {
    let signature = try git.signature()
    guard let name = environment("GIT_COMMITTER_NAME") ?? signature?.name else { return nil }
    return String("\(name) <\(environment("GIT_COMMITTER_EMAIL") ?? signature?.email ?? "")>".prefix(200))
  }
}

extension TagContent {
  fileprivate init(_ tag: GitTag) {
    self.init(
      name: tag.name, object: tag.object.hex, commit: tag.commit?.hex, message: tag.message,
      tagger: tag.tagger.map { "\($0.name) <\($0.email)>" }, time: (tag.tagger?.time ?? 0) * 1000)
  }
}

extension ModelRegistry.Model {
  /// - Throws: ``RepositoryError/Code/conflict`` if several moves of the alias follow one, `corrupt` if a move that nothing
  ///   followed cannot be believed.
  func requireUncontested(_ state: ModelRegistry.AliasState) throws {
    let remedy = "Decide with 'dv model promote \(name) VERSION \(state.alias) --resolve', and push the tag."
    if let problem = state.problem {
      throw RepositoryError(
        .corrupt, problem, remedy: "'git fetch --tags --force' takes over the server's tags. If that one has it so, too: \(remedy)")
    }
    guard state.isContested else { return }
    let claims = state.heads.map { head -> String in
      let who = head.alias?.user ?? head.tag.tagger ?? "somebody"
      let release = release(of: head)?.description ?? "none"
      let remark = head.isPlain ? ", without a record of dv's" : ""
      return "\(release) (\(head.tag.name), by \(who)\(remark))"
    }
    throw RepositoryError(
      .conflict, "The alias '\(state.alias)' of '\(name)' is contested: \(claims.joined(separator: " and ")), and none of them follows the other.",
      remedy: remedy)
  }
}

extension Repository {
  /// Fails if several moves of an alias follow one; see ``version(_:of:)``.
  ///
  /// - Throws: ``RepositoryError/Code/conflict`` that names the claims and the remedy.
  public func requireUncontested(_ state: ModelRegistry.AliasState, of model: ModelRegistry.Model) throws {
    try model.requireUncontested(state)
  }

  /// Fails if any alias of any model is contested.
  ///
  /// - Throws: ``RepositoryError/Code/conflict`` that names the claims and the remedy.
  func requireUncontestedAliases() throws {
    for model in try modelRegistry().models.values.sorted(by: { $0.name < $1.name }) {
      for state in model.aliases where state.isContested { try model.requireUncontested(state) }
    }
  }
}

extension Repository {
  /// Returns a run's record as this clone knows it, or as `commit` holds it; `nil` if neither does.
  func runRecord(_ id: ObjectID, at commit: String) async throws -> RunRecord? {
    let book = RecordBook(self, store: LazyStore(try storePlace()))
    if let run = try await book.run(id) { return run }
    guard let commit = try? git.resolve(revision: commit),
      let bytes = try git.readBlob(at: try GitPath(RecordBook.path(of: id).bytes), in: commit, limit: Record.maximumByteCount)
    else { return nil }
    return try RunRecord(try Record(decoding: bytes, named: id))
  }
}
