public import DVObject

/// What somebody signed about a version of a model, in an annotated tag: that it may take an alias, that it may not after all, or that it is
/// what it says.
///
/// The tag's message ends with a Sigstore bundle in one line, whose in-toto statement names the content by its digest and the version by the
/// object of its tag, so that neither can be exchanged. See `docs/format/registry.md`.
public struct Attestation: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case approval
    case signature
    /// Takes back what the same person approved of until then.
    case withdrawal
  }

  public var kind: Kind
  public var model: ModelName
  public var release: ModelVersion
  /// The alias that an approval or its withdrawal is for; `nil` for any, and of signatures.
  public var alias: String?
  public var oid: ObjectID
  public var isTree: Bool
  /// The commit of the version, as hex digits.
  public var commit: String
  /// The tag object that registers the version, as hex digits.
  public var tag: String
  public var reason: String?
  /// Milliseconds since 1970.
  public var time: Int64
  /// As git names the committer: a claim, which the key proves or not.
  public var user: String?

  /// Speaks of a version.
  ///
  /// - Parameter tag: the tag object that registers it, as hex digits.
  public init(
    _ kind: Kind, of version: ModelRecord, tag: String, alias: String? = nil, reason: String? = nil, time: Int64, user: String?
  ) {
    (self.kind, model, release, self.alias) = (kind, version.model, version.release, alias)
    (oid, isTree, commit, self.tag) = (version.oid, version.isTree, version.commit, tag)
    (self.reason, self.time, self.user) = (reason, time, user)
  }

  private var predicateType: String { "urn:dv:\(kind.rawValue):1" }

  /// The in-toto statement that is signed.
  public var statement: JSONValue {
    var predicate = JSONObject()
    predicate["model"] = .string(model.text)
    predicate["release"] = .string(release.description)
    predicate["alias"] = alias.map { .string($0) }
    predicate["commit"] = .string(commit)
    predicate["tag"] = .string(tag)
    predicate["reason"] = reason.map { .string($0) }
    predicate["time"] = .integer(time)
    predicate["user"] = user.map { .string($0) }
    return Statement.json(
      subject: "\(model)@\(release)", digests: [(isTree ? "dvTree1" : "sha256", oid.hex)], predicateType: predicateType, predicate: predicate)
  }

  /// Reads a statement.
  ///
  /// - Throws: ``SigningError/Code/malformed`` for one of another kind, or that lacks something.
  public init(_ statement: JSONValue) throws(SigningError) {
    let type = statement["predicateType"]?.string
    guard let kind = Kind.allCases.first(where: { "urn:dv:\($0.rawValue):1" == type }), let predicate = statement["predicate"],
      let subjects = statement["subject"]?.array, subjects.count == 1, let digest = subjects[0]["digest"],
      let model = predicate["model"]?.string.flatMap({ ModelName($0) }),
      let release = predicate["release"]?.string.flatMap({ ModelVersion($0) }),
      let commit = predicate["commit"]?.string, let tag = predicate["tag"]?.string, let time = predicate["time"]?.integer
    else { throw SigningError(.malformed, "What was signed is no approval or signature of a model's version.") }
    let (file, tree) = (digest["sha256"]?.string, digest["dvTree1"]?.string)
    guard let hex = file ?? tree, file == nil || tree == nil, let oid = try? ObjectID(hex: hex) else {
      throw SigningError(.malformed, "What was signed names no content.")
    }
    if let alias = predicate["alias"] {
      guard let text = alias.string, RegistryTag.isAlias(text) else {
        throw SigningError(.malformed, "What was signed names '\(alias.string ?? "something")', which can be no alias.")
      }
      self.alias = text
    }
    (self.kind, self.model, self.release, self.commit, self.tag, self.time) = (kind, model, release, commit, tag, time)
    (self.oid, isTree) = (oid, tree != nil)
    reason = predicate["reason"]?.string
    user = predicate["user"]?.string
  }

  /// Whether this speaks of exactly this version, by its content, commit and tag.
  public func speaks(of version: ModelRecord, tag: String) -> Bool {
    model == version.model && release == version.release && oid == version.oid && isTree == version.isTree
      && commit == version.commit && self.tag == tag
  }

  // MARK: - Tags

  /// Names of tags of a kind begin with it: `dv/approval/`.
  public static func tagPrefix(_ kind: Kind) -> String { "dv/\(kind.rawValue)/" }

  /// Names of tags about a version begin with it: `dv/approval/NAME@VERSION/`.
  public static func tagPrefix(_ kind: Kind, _ model: ModelName, _ release: ModelVersion) -> String {
    tagPrefix(kind) + "\(model.inTag)@\(release)/"
  }

  /// The short name of the tag that holds this with the signature of a key.
  ///
  /// - Parameter number: 1, or more if the key has signed the like before and something else since.
  public func tagName(signedBy key: VerifyingKey, number: Int = 1) -> String {
    Self.tagPrefix(kind, model, release) + (alias.map { $0 + "/" } ?? "") + key.hint.prefix(16) + (number > 1 ? "-\(number)" : "")
  }

  /// Whether this approves of the version for `alias`, or takes that back.
  public func concerns(_ alias: String) -> Bool { kind != .signature && (self.alias == nil || self.alias == alias) }

  /// The message of that tag.
  public func message(_ bundle: SignedBundle) -> String {
    let title =
      switch kind {
      case .approval: "Approve \(model) \(release)" + (alias.map { " for \($0)" } ?? "")
      case .withdrawal: "Take back the approval of \(model) \(release)" + (alias.map { " for \($0)" } ?? "")
      case .signature: "Sign \(model) \(release)"
      }
    return title + "\n\n" + (reason.map { $0 + "\n\n" } ?? "") + String(decoding: bundle.bytes, as: UTF8.self)
  }

  /// Reads the bundle from the message of a tag. That says nothing of its signature.
  ///
  /// - Throws: ``SigningError/Code/malformed`` if there is none.
  public static func bundle(in message: String) throws(SigningError) -> SignedBundle {
    guard let line = TagMessage.lastLine(of: message) else { throw SigningError(.malformed, "The tag holds no signature.") }
    return try SignedBundle(parsing: Array(line.utf8))
  }
}
