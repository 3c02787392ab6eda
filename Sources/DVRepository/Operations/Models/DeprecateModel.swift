import DVGit
public import DVLineage
import DVObject

/// Gives a model up, so that nobody registers or promotes it any more; what is registered stays: `dv model deprecate`.
public struct DeprecateModel: Sendable {
  private let model: ModelName
  private let reason: String?
  private let environment: [[UInt8]]

  public init(_ model: ModelName, reason: String? = nil, environment: [[UInt8]]) {
    (self.model, self.reason, self.environment) = (model, reason, environment)
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if it is given up already.
  public func run(in repository: Repository) async throws -> TagReport {
    let known = try repository.model(model)
    guard !known.isDeprecated else { throw RepositoryError(.usage, "The model '\(model)' is deprecated already.") }
    guard let commit = known.versions.last?.event.tag.commit ?? known.events.last?.tag.commit else {
      throw RepositoryError(.corrupt, "No tag of '\(model)' leads to a commit.")
    }
    var json = JSONObject()
    json["type"] = "deprecation"
    json["version"] = 1
    json["model"] = .string(model.text)
    json["reason"] = reason.map { .string(String($0.prefix(400))) }
    json["time"] = .integer(Moment.milliseconds)
    json["user"] = try repository.person().map { .string($0) }
    let record = try Record(json)
    let tag = RegistryTag(model, .deprecate, counter: known.nextCounter)
    try await TagWriting(repository: repository, environment: environment, isSigned: false).write(
      tag, at: commit, message: TagMessage.text(title: "Deprecate \(model)", description: reason, record: record))
    return TagReport(
      tag: tag.name, model: model, release: nil, alias: nil, commit: commit, previous: known.versions.last?.release,
      record: record.id)
  }
}
