public import DVS3
public import SystemPackage

/// Where a remote is.
public enum RemoteURL: Hashable, Sendable, CustomStringConvertible {
  /// A directory, by absolute path.
  case directory(FilePath)
  /// A bucket, on the server that the remote's settings or the environment name, or else on AWS.
  case s3(S3Location)
  /// What a web server serves, for reading only.
  case http(HTTPEndpoint)

  /// Reads a URL or path as the user wrote it.
  ///
  /// - Parameters:
  ///   - text: an absolute path, a path relative to `base`, `file:///path`, `s3://bucket/prefix`, or an `http://` or
  ///     `https://` URL.
  ///   - base: what relative paths start at: the top of the working tree.
  /// - Throws: ``RepositoryError/Code/usage`` for a scheme that this dv does not know.
  public init(_ text: String, relativeTo base: FilePath) throws {
    guard let colon = text.range(of: "://") else {
      guard !text.isEmpty else { throw RepositoryError(.usage, "A remote needs a path.") }
      self = .directory(base.pushing(FilePath(text)).lexicallyNormalized())
      return
    }
    do {
      switch text[..<colon.lowerBound] {
      case "file":
        let path = text[colon.upperBound...]
        guard path.hasPrefix("/") else {
          throw RepositoryError(.usage, "'\(text)' names another host. Write 'file:///path'.")
        }
        self = .directory(FilePath(String(path)).lexicallyNormalized())
      case "s3": self = .s3(try S3Location(text))
      case "http", "https": self = .http(try HTTPEndpoint(text))
      case let scheme:
        throw RepositoryError(
          .usage, "'\(text)': this dv does not reach remotes by '\(scheme)://'.",
          remedy: "Give a directory, 's3://bucket/prefix', or for reading only an 'https://' URL.")
      }
    } catch let error as S3Location.Malformed {
      throw RepositoryError(.usage, error.description, remedy: "Write 's3://bucket/prefix'.")
    } catch let error as HTTPEndpoint.Malformed {
      throw RepositoryError(.usage, error.description, remedy: "Write 'https://host/path'.")
    }
  }

  public var description: String {
    switch self {
    case .directory(let path): path.string
    case .s3(let location): location.description
    case .http(let endpoint): endpoint.description
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
