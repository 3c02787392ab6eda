import DVGit
import DVLineage

/// What people signed about versions, in tags `dv/…`; see `docs/format/registry.md`. Whether a signature holds is not asked here: policies and audits do.
extension LineageTrace {
  /// The tags of attestations, by name.
  ///
  /// - Complexity: O(*n*) in the tags of the clone, once.
  func attestations() throws -> [String: GitTag] {
    if let attestationTags { return attestationTags }
    let tags = try repository.git.tags(messageLimit: 0) { AttestationTag($0) != nil }
    let found = Dictionary(tags.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    attestationTags = found
    return found
  }

  /// The names of those about a version, by the name of its tag.
  func attestations(about version: String) throws -> [String] {
    if attestationsByVersion == nil {
      attestationsByVersion = try Dictionary(grouping: attestations().keys.sorted()) { AttestationTag($0)?.version ?? "" }
    }
    return attestationsByVersion?[version] ?? []
  }

  static func node(_ tag: GitTag, id: String) -> LineageGraph.Node {
    guard let name = AttestationTag(tag.name) else { return .init(id: id, kind: .attestation, label: tag.name, facts: []) }
    var facts = [
      LineageGraph.Fact("tag", tag.name), .init("attestation", name.kind.rawValue), .init("model", name.model.inTag),
      .init("version", name.release.description),
    ]
    if let alias = name.alias { facts.append(.init("alias", alias)) }
    facts.append(.init("key", name.key))
    if let commit = tag.commit { facts.append(.init("commit", commit.hex)) }
    if let tagger = tag.tagger { facts += [.init("by", "\(tagger.name) <\(tagger.email)>"), .init("time", "\(tagger.time * 1000)")] }
    let of = "\(name.kind.rawValue) of \(name.version)" + (name.alias.map { " for \($0)" } ?? "")
    return .init(id: id, kind: .attestation, label: of + (tag.tagger.map { " by \($0.name)" } ?? ""), facts: facts)
  }
}
