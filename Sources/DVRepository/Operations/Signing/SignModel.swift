import DVFile
public import DVLineage
import DVObject
public import SystemPackage

/// Signs a version of a model and what made it: the operation behind `dv sign`.
public struct SignModel: Sendable {
  private let model: ModelName
  private let selector: String
  private let key: SigningKey
  private let output: FilePath
  private let makesTag: Bool
  private let environment: [[UInt8]]

  public struct Report: Sendable {
    public let record: ModelRecord
    public let signature: FilePath
    /// `nil` if no run is known that made it.
    public let provenance: FilePath?
    public let files: Int
    /// The tag that says so, where policies look; `nil` if none was asked for.
    public let tag: String?
    /// Which key signed: the SHA-256 of the public half in PEM.
    public let key: String
  }

  /// - Parameters:
  ///   - output: the bundle to write, absolute; the provenance goes beside it.
  ///   - makesTag: whether to sign in a tag too that this is the version's content.
  ///   - environment: all variables of the process, for git.
  public init(
    _ model: ModelName, _ selector: String, key: SigningKey, output: FilePath, makesTag: Bool = false, environment: [[UInt8]] = []
  ) {
    (self.makesTag, self.environment) = (makesTag, environment)
    (self.model, self.selector, self.key, self.output) = (model, selector, key, output)
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for a tag that was not made by dv, or a model with links.
  public func run(in repository: Repository) async throws -> Report {
    let (record, id) = try repository.recordedVersion(selector, of: model)
    let resources = try await ModelResources.stored(record, repository.dataReader())
    var lineage = JSONObject()
    lineage["model"] = .string(record.model.text)
    lineage["release"] = .string(record.release.description)
    lineage["record"] = id.map { .string($0.hex) }
    lineage["commit"] = .string(record.commit)
    lineage["run"] = record.run.map { .string($0.hex) }
    let name = String(record.path.split(separator: "/").last ?? "model")
    let bundle = try SignedBundle(ModelStatement(name: name, resources: resources.map(\.resource)).json(lineage: lineage), key: key)
    try output.replaceContent(with: bundle.bytes.span)
    var provenance: FilePath?
    if let id = record.run, let run = try await repository.runRecord(id, at: record.commit) {
      let path = Self.provenancePath(beside: output)
      let signed = try SignedBundle(ProvenanceStatement(record, run: run, id: id).json, key: key)
      try path.replaceContent(with: signed.bytes.span)
      provenance = path
    }
    var tag: String?
    if makesTag {
      let event = try repository.version(selector, of: repository.model(model))
      tag = try await AttestationWriting(repository: repository, environment: environment).write(
        Attestation(.signature, of: record, tag: event.tag.object, time: Moment.milliseconds, user: repository.person()), key)
    }
    return Report(
      record: record, signature: output, provenance: provenance, files: resources.count, tag: tag, key: key.publicKey.hint)
  }

  /// Where the provenance lies: `model.sig` has it in `model.sig.provenance`.
  public static func provenancePath(beside signature: FilePath) -> FilePath {
    FilePath(rawBytes: signature.rawBytes + Array(".provenance".utf8))
  }
}

extension Repository {
  /// Returns the record of a version and its name.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for a tag that dv did not make.
  func recordedVersion(_ selector: String, of model: ModelName) throws -> (ModelRecord, ObjectID?) {
    let event = try version(selector, of: self.model(model))
    return (try event.dvRecord, event.recordID)
  }
}
