/// A path with the wildcards of gitignore: `*` and `?` within a name, `**` across names, `[a-z]`.
public struct PathPattern: Sendable {
  /// The directory in which all that matches lies: what stands before the first name with a wildcard.
  public let directory: TreePath
  private let glob: Wildmatch

  /// - Returns: `nil` if `path` has no wildcard.
  public init?(_ path: TreePath) {
    let bytes = path.bytes
    guard let wild = bytes.firstIndex(where: Wildmatch.isSpecial) else { return nil }
    let slash = bytes[..<wild].lastIndex(of: .slash)
    directory = slash.flatMap { TreePath(Array(bytes[..<$0])) } ?? .root
    glob = Wildmatch(pattern: bytes)
  }

  public func matches(_ path: TreePath) -> Bool { glob.matches(path.bytes.span, isPath: true) }
}
