import DVGit
import DVLineage
import DVObject

/// Removes a tag of the registry on purpose, and keeps on record which one it was, who removed it and why: the operation behind
/// `dv model remove`.
///
/// The tag that says so is made first and names the tag object, so that git keeps it: nothing is lost but the name.
public struct RemoveTag: Sendable {
  private let tag: String
  private let reason: String
  private let isSigned: Bool
  private let environment: [[UInt8]]

  public struct Report: Sendable {
    /// The short name of the tag that was removed.
    public let tag: String
    /// The tag object, as hex digits.
    public let object: String
    /// The short name of the tag that says so.
    public let removal: String
    /// Whether the tag was here; else it was gone already.
    public let wasHere: Bool
  }

  /// - Parameters:
  ///   - tag: the short name of a tag of the registry, of an approval or of a signature.
  ///   - reason: why, for the record.
  ///   - isSigned: whether git must sign the tag that says so.
  ///   - environment: all variables of the process, for git.
  public init(_ tag: String, reason: String, isSigned: Bool = false, environment: [[UInt8]]) {
    (self.tag, self.reason, self.isSigned, self.environment) = (tag, reason, isSigned, environment)
  }

  /// Carries it out; killed anywhere, it is completed by running it again.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if it is no tag of the registry, or neither here nor known to have been.
  public func run(in repository: Repository) async throws -> Report {
    guard Witness.isWitnessed(tag: tag), !tag.hasPrefix(RemovalRecord.tagPrefix) else {
      throw RepositoryError(
        .usage, "'\(tag)' is no tag of the registry.", remedy: "'git tag --list' shows them: versions such as 'churn@v1.0.0', moves such as 'churn#production#3'.")
    }
    let here = try repository.git.references().first { $0.name == "refs/tags/\(tag)" }?.target
    let known = try Removals(in: repository)
    let objects = try here.map { [$0.hex] } ?? objects(in: repository)
    // Of several that were seen, the one that nobody has answered for yet.
    guard let object = objects.first(where: { known.byObject[$0] == nil }) ?? objects.first else {
      throw RepositoryError(
        .usage, "There is no tag '\(tag)' here, and no remote is known to have seen one.",
        remedy: "'git fetch --tags' brings those of others; 'dv audit --remote NAME' asks what a remote saw.")
    }
    if known.byObject[object] != nil, here == nil {
      throw RepositoryError(.usage, "That '\(tag)' was removed is on record already.", remedy: "Share it: git push origin '\(RemovalRecord.tagPrefix)\(object)'")
    }
    let record = RemovalRecord(
      tag: tag, object: object, reason: String(reason.prefix(400)), time: Moment.milliseconds, user: try repository.person())
    if known.byObject[object] == nil {
      // What is not here any more cannot be kept.
      let isKept = (try? repository.git.rawObject(GitObjectID(hex: object))) != nil
      let place = try isKept ? object : repository.git.head().commit?.hex
      guard let place else { throw RepositoryError(.usage, "There is no commit yet.", remedy: "'git commit' something first.") }
      try await TagWriting(repository: repository, environment: environment, isSigned: isSigned).write(
        record.tagName, at: place, message: TagMessage.text(title: "Remove \(tag)", description: reason, record: record.encoded()))
    }
    if here != nil { try await UserGit(repository, environment: environment).run(["tag", "--delete", "--", tag]) }
    return Report(tag: tag, object: object, removal: record.tagName, wasHere: here != nil)
  }

  /// What a tag that is gone was: as remotes saw it, or this clone had it.
  private func objects(in repository: Repository) throws -> [String] {
    var found: [String] = []
    for remote in try repository.remotes() {
      let seen = RemoteWitness(copiedFrom: remote, in: repository).witness.tags[tag] ?? []
      // The last one is what it was when it went.
      found += seen.reversed().map(\.object)
    }
    return found + SeenTags(of: repository).objects(of: tag)
  }
}
