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
    for reference in try references(below: "refs/tags/", where: { isWanted(String($0.dropFirst(10))) }) {
      let name = String(reference.name.dropFirst(10))
      tags.append(
        annotatedTag(reference.target, named: name, at: reference.commit, messageLimit)
          // One that is not annotated names the commit itself.
          ?? GitTag(name: name, object: reference.target, commit: reference.commit, tagger: nil, message: nil))
    }
    return tags
  }

  /// Returns a tag object under the name that it was made for, whether any reference names it or not.
  ///
  /// - Parameter messageLimit: the most bytes of its message; a longer one is cut.
  /// - Returns: `nil` if there is no such object here, or it is no tag.
  public func tag(_ object: GitObjectID, messageLimit: Int = 64 << 10) -> GitTag? {
    guard let raw = try? rawObject(object), raw.kind == .tag, let name = raw.header("tag") else { return nil }
    return annotatedTag(object, named: name, at: try? resolve(revision: object.hex), messageLimit)
  }

  private func annotatedTag(_ object: GitObjectID, named name: String, at commit: GitObjectID?, _ messageLimit: Int) -> GitTag? {
    var tag: OpaquePointer?
    var oid = object.oid
    Libgit2.start()
    guard unsafe git_tag_lookup(&tag, pointer, &oid) == 0, let tag = unsafe tag else { return nil }
    defer { unsafe git_tag_free(tag) }
    let message = unsafe git_tag_message(tag).map { unsafe String(cString: $0) } ?? ""
    return GitTag(
      name: name, object: object, commit: commit, tagger: unsafe git_tag_tagger(tag).map { unsafe GitSignature($0.pointee) },
      message: message.utf8.count <= messageLimit ? message : String(message.prefix(messageLimit)))
  }
}
