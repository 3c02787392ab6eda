import DVGit
import DVLineage

/// What a tag under `dv/` says about a version, as it stands there: nobody has looked at its signature yet.
struct SignedAttestation {
  /// The short name.
  let tag: String
  /// The tag object.
  let object: GitObjectID
  /// The signed statement; a failure if the tag holds none.
  let bundle: Result<SignedBundle, SigningError>
  private let kind: Attestation.Kind
  private let record: ModelRecord
  /// The tag object that registers the version, as hex digits.
  private let version: String

  fileprivate init(_ tag: GitTag, _ kind: Attestation.Kind, of record: ModelRecord, version: String) {
    (self.tag, object) = (tag.name, tag.object)
    (self.kind, self.record, self.version) = (kind, record, version)
    do throws(SigningError) { bundle = .success(try Attestation.bundle(in: tag.message ?? "")) } catch { bundle = .failure(error) }
  }

  /// Which key says that it signed this.
  var hint: String? { try? bundle.get().hint }

  /// Reads what a key signed.
  ///
  /// - Throws: ``SigningError/Code/refused`` if the signature is not of `key`, or is of another version, content or tag.
  func attestation(verifiedBy key: VerifyingKey) throws(SigningError) -> Attestation {
    let attestation = try Attestation(bundle.get().statement(verifiedBy: key))
    guard attestation.kind == kind, attestation.speaks(of: record, tag: version) else {
      throw SigningError(.refused, "it is of another version, content or tag")
    }
    return attestation
  }
}

extension Repository {
  /// What tags say about a version, approvals first.
  ///
  /// - Complexity: O(*n*) in the tags of the clone; the messages of those about the version are read.
  func attestations(of record: ModelRecord, _ version: ModelRegistry.Event) throws -> [SignedAttestation] {
    try Attestation.Kind.allCases.flatMap { kind in
      let prefix = Attestation.tagPrefix(kind, record.model, record.release)
      return try git.tags(messageLimit: TagMessage.maximumByteCount, where: { $0.hasPrefix(prefix) })
        .map { SignedAttestation($0, kind, of: record, version: version.tag.object) }
    }
  }
}

/// Signs an attestation and puts it into a tag at the version's commit, so that git carries it with the commit.
struct AttestationWriting {
  let repository: Repository
  let environment: [[UInt8]]

  /// - Parameter isRepeated: whether the key may have signed the like before: then the tag gets the next number.
  /// - Returns: the short name of the tag.
  func write(_ attestation: Attestation, _ key: SigningKey, isRepeated: Bool = false) async throws -> String {
    let first = attestation.tagName(signedBy: key.publicKey)
    let taken = Set(try repository.git.tags(messageLimit: 0, where: { $0.hasPrefix(first) }).map(\.name))
    guard isRepeated || !taken.contains(first) else {
      throw RepositoryError(
        .usage, "This key has signed that already: the tag '\(first)' is there.", remedy: "Share it: git push origin '\(first)'")
    }
    var (name, number) = (first, 1)
    while taken.contains(name) {
      number += 1
      name = attestation.tagName(signedBy: key.publicKey, number: number)
    }
    let bundle = try SignedBundle(attestation.statement, key: key)
    try await TagWriting(repository: repository, environment: environment, isSigned: false).write(
      name, at: attestation.commit, message: attestation.message(bundle))
    return name
  }
}
