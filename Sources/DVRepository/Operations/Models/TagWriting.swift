import DVGit
public import DVLineage
public import DVObject

/// Makes an annotated tag of the registry with the user's git, which signs it if it is set up to (`tag.gpgSign`) or asked to.
struct TagWriting {
  let repository: Repository
  let environment: [[UInt8]]
  let isSigned: Bool

  /// - Parameter commit: hex digits.
  func write(_ tag: RegistryTag, at commit: String, message: String) async throws {
    try await write(tag.name, at: commit, message: message)
  }

  /// - Parameters:
  ///   - name: the short name.
  ///   - commit: hex digits.
  func write(_ name: String, at commit: String, message: String) async throws {
    guard message.utf8.count <= TagMessage.maximumByteCount else {
      throw RepositoryError(.usage, "The description has \(message.utf8.count) bytes; a tag's message may have \(TagMessage.maximumByteCount).")
    }
    // Verbatim, or git would take lines that begin with '#' for comments.
    let sign = isSigned ? ["--sign"] : []
    try await UserGit(repository, environment: environment).run(
      ["tag", "--annotate", "--cleanup=verbatim"] + sign + ["--message=\(message)", "--", name, commit])
  }
}

/// A tag that was made, and how others come to see it.
public struct TagReport: Sendable {
  public let tag: String
  public let model: ModelName
  /// The version that it is about; `nil` if it takes an alias away or gives the model up.
  public let release: ModelVersion?
  public let alias: String?
  public let commit: String
  /// The version that had the alias before.
  public let previous: ModelVersion?
  public let record: ObjectID
  /// What the policy said of it; `nil` if it was not asked.
  public internal(set) var policy: PolicyReport?
}
