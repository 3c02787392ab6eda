public import SystemPackage

/// Where a remote is.
public enum RemoteURL: Hashable, Sendable, CustomStringConvertible {
  /// A directory, by absolute path.
  case directory(FilePath)

  /// Reads a URL or path as the user wrote it.
  ///
  /// - Parameters:
  ///   - text: an absolute path, a path relative to `base`, or `file:///path`.
  ///   - base: what relative paths start at: the top of the working tree.
  /// - Throws: ``RepositoryError/Code/usage`` for a scheme that this dv does not know.
  public init(_ text: String, relativeTo base: FilePath) throws {
    if let colon = text.range(of: "://") {
      let scheme = text[..<colon.lowerBound]
      guard scheme == "file" else {
        throw RepositoryError(
          .usage, "'\(text)': this dv reaches remotes in directories only, not by '\(scheme)://'.",
          remedy: "Give the path of a directory, such as a mounted share.")
      }
      let path = text[colon.upperBound...]
      guard path.hasPrefix("/") else {
        throw RepositoryError(.usage, "'\(text)' names another host. Write 'file:///path'.")
      }
      self = .directory(FilePath(String(path)).lexicallyNormalized())
      return
    }
    guard !text.isEmpty else { throw RepositoryError(.usage, "A remote needs a path.") }
    self = .directory(base.pushing(FilePath(text)).lexicallyNormalized())
  }

  public var description: String {
    switch self {
    case .directory(let path): path.string
    }
  }
}

extension StringProtocol {
  /// Finds the first occurrence of `other`, which has ASCII characters only.
  fileprivate func range(of other: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
      formIndex(after: &start)
    }
    return nil
  }
}
