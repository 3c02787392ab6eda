import CGit2

/// A tag below `refs/tags/`.
public struct GitTag: Hashable, Sendable {
  /// The name without `refs/tags/`; bytes that are no UTF-8 are replaced.
  public let name: String
  /// The tag object; the tagged object of a tag that is not annotated.
  public let object: GitObjectID
  /// The commit at the end of it; `nil` if it leads to something else.
  public let commit: GitObjectID?
  /// Who made it and when; `nil` for one that is not annotated.
  public let tagger: GitSignature?
  /// The whole message, with a signature at its end if it is signed; `nil` for one that is not annotated.
  public let message: String?
}

extension GitRepository {
  /// Returns the tags whose short name `isWanted` accepts, sorted by name.
  ///
  /// - Parameter messageLimit: the most bytes of a message; a longer one is cut.
  /// - Throws: ``GitError/Code/notFound`` if one names an object that is missing.
  public func tags(messageLimit: Int = 64 << 10, where isWanted: (String) -> Bool = { _ in true }) throws(GitError) -> [GitTag] {
    var tags: [GitTag] = []
    for reference in try references() where reference.name.hasPrefix("refs/tags/") {
      let name = String(reference.name.dropFirst(10))
      guard isWanted(name) else { continue }
      var tag: OpaquePointer?
      var oid = reference.target.oid
      Libgit2.start()
      let status = unsafe git_tag_lookup(&tag, pointer, &oid)
      guard status == 0, let tag = unsafe tag else {
        // A tag that is not annotated names the commit itself.
        tags.append(GitTag(name: name, object: reference.target, commit: reference.commit, tagger: nil, message: nil))
        continue
      }
      defer { unsafe git_tag_free(tag) }
      let message = unsafe git_tag_message(tag).map { unsafe String(cString: $0) } ?? ""
      tags.append(
        GitTag(
          name: name, object: reference.target, commit: reference.commit,
          tagger: unsafe git_tag_tagger(tag).map { unsafe GitSignature($0.pointee) },
          message: message.utf8.count <= messageLimit ? message : String(message.prefix(messageLimit))))
    }
    return tags
  }
}
