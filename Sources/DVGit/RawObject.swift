import CGit2

/// A git object as git hashes it: its kind and its bytes.
public struct GitRawObject: Hashable, Sendable {
  public enum Kind: String, Sendable { case commit, tree, blob, tag }

  public let kind: Kind
  public let bytes: [UInt8]

  public init(kind: Kind, bytes: [UInt8]) {
    self.kind = kind
    self.bytes = bytes
  }

  /// The name that git gives these bytes: the SHA-1 of kind, length and bytes.
  ///
  /// - Throws: ``GitError`` if libgit2 refuses, as when memory is short.
  public func id() throws(GitError) -> GitObjectID {
    let type =
      switch kind {
      case .commit: GIT_OBJECT_COMMIT
      case .tree: GIT_OBJECT_TREE
      case .blob: GIT_OBJECT_BLOB
      case .tag: GIT_OBJECT_TAG
      }
    var oid = git_oid()
    let bytes = bytes
    try check("hash a git object") {
      unsafe bytes.withUnsafeBytes { buffer in unsafe git_odb_hash(&oid, buffer.baseAddress, buffer.count, type) }
    }
    return GitObjectID(oid)
  }

  /// The entries of a tree: mode, name, what it names.
  ///
  /// - Returns: `nil` if the bytes are no tree.
  public var entries: [(mode: String, name: [UInt8], id: GitObjectID)]? {
    guard kind == .tree else { return nil }
    var entries: [(mode: String, name: [UInt8], id: GitObjectID)] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let space = rest.firstIndex(of: UInt8(ascii: " ")), let zero = rest[space...].firstIndex(of: 0),
        rest.endIndex - zero > 20, let id = try? GitObjectID(bytes: Array(rest[(zero + 1)...(zero + 20)]).span)
      else { return nil }
      entries.append((String(decoding: rest[..<space], as: UTF8.self), Array(rest[(space + 1)..<zero]), id))
      rest = rest[(zero + 21)...]
    }
    return entries
  }

  /// A header of a commit or tag: `tree`, `object`, `tag` …; the first of that name.
  public func header(_ name: String) -> String? {
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty { return nil }
      if line.hasPrefix(name + " ") { return String(line.dropFirst(name.count + 1)) }
    }
    return nil
  }

  /// What follows the headers of a commit or tag.
  public var message: String {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.firstRange(of: "\n\n") else { return "" }
    return String(text[end.upperBound...])
  }
}

extension GitRepository {
  /// Reads an object of any kind.
  ///
  /// - Parameter limit: the most bytes; a larger one is refused.
  /// - Throws: ``GitError/Code/notFound``, ``GitError/Code/invalid`` if it is larger.
  public func rawObject(_ id: GitObjectID, limit: Int = 64 << 20) throws(GitError) -> GitRawObject {
    var oid = id.oid
    let object = unsafe try make("read object \(id.shortHex)") { unsafe git_odb_read(&$0, odb, &oid) }
    defer { unsafe git_odb_object_free(object) }
    let count = unsafe git_odb_object_size(object)
    guard count <= limit else { throw GitError(.invalid, "Git object \(id.shortHex) has \(count) bytes, more than \(limit).") }
    let kind: GitRawObject.Kind
    switch unsafe git_odb_object_type(object) {
    case GIT_OBJECT_COMMIT: kind = .commit
    case GIT_OBJECT_TREE: kind = .tree
    case GIT_OBJECT_TAG: kind = .tag
    default: kind = .blob
    }
    guard count > 0, let data = unsafe git_odb_object_data(object) else { return GitRawObject(kind: kind, bytes: []) }
    return unsafe GitRawObject(kind: kind, bytes: Array(UnsafeRawBufferPointer(start: data, count: count)))
  }
}
