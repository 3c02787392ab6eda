/// What the name of a tag says of the attestation that it holds; see ``Attestation/tagName(signedBy:number:)``. Nobody signed the name.
public struct AttestationTag: Hashable, Sendable {
  public let kind: Attestation.Kind
  public let model: ModelName
  public let release: ModelVersion
  /// The alias that it is for; `nil` for any.
  public let alias: String?
  /// The first digits of the key's fingerprint, and the number of several.
  public let key: String

  /// Reads the short name of a tag.
  ///
  /// - Returns: `nil` if it is none of an attestation.
  public init?(_ tag: String) {
    guard let kind = Attestation.Kind.allCases.first(where: { tag.hasPrefix(Attestation.tagPrefix($0)) }) else { return nil }
    let rest = tag.dropFirst(Attestation.tagPrefix(kind).count)
    guard let at = rest.firstIndex(of: "@"), let model = ModelName(inTag: rest[..<at]) else { return nil }
    let parts = rest[rest.index(after: at)...].split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3, let release = ModelVersion(parts[0]), let key = parts.last, !key.isEmpty else { return nil }
    (self.kind, self.model, self.release, self.key) = (kind, model, release, String(key))
    alias = parts.count == 3 ? String(parts[1]) : nil
  }

  /// The short name of the tag that registers the version.
  public var version: String { "\(model.inTag)@\(release)" }
}
