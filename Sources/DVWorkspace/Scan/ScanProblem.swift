/// Something in a tracked directory that cannot be part of a version.
public struct ScanProblem: Hashable, Sendable, CustomStringConvertible {
  /// Why it cannot be tracked.
  public enum Reason: Hashable, Sendable {
    /// A socket, a pipe or a device.
    case special
    /// A pointer inside a directory that is tracked as a whole.
    case nestedPointer
    /// A symbolic link with an absolute target.
    case absoluteLink
    /// A symbolic link that leads out of the dataset.
    case leavingLink
    /// Deeper than ``TreeScan/maximumDepth`` directories.
    case tooDeep
  }

  /// Relative to the working tree's root.
  public let path: TreePath
  public let reason: Reason

  /// What is wrong and what to do, with the path.
  public var description: String {
    switch reason {
    case .special:
      "'\(path)' is a socket, a pipe or a device and cannot be tracked. Remove it or name it in .dvignore."
    case .nestedPointer:
      """
      '\(path)' is a pointer inside a directory that is tracked as a whole. Move it out, or name it in .dvignore.
      """
    case .absoluteLink:
      """
      '\(path)' is a symbolic link to an absolute path, which means something else on every machine. Make it relative, \
      replace it by the file, or name it in .dvignore.
      """
    case .leavingLink:
      """
      '\(path)' is a symbolic link that leads out of the dataset. Replace it by the file, or name it in .dvignore.
      """
    case .tooDeep:
      "'\(path)' lies deeper than \(TreeScan.maximumDepth) directories. Flatten the tree or name it in .dvignore."
    }
  }
}

extension [ScanProblem] {
  /// Throws if there is any problem, naming the first ones and counting the rest.
  public func requireNone() throws(WorkspaceError) {
    guard !isEmpty else { return }
    let shown = prefix(10).map(\.description).joined(separator: "\n")
    let more = count > 10 ? "\n… and \(count - 10) more." : ""
    throw WorkspaceError(.unsupported, shown + more, paths: map(\.path))
  }
}

/// A symbolic link inside a dataset.
enum LinkRule {
  /// Returns what is wrong with a link in `directory`, relative to the dataset's root, that points to `target`.
  ///
  /// It follows the words of the target alone, as they would be followed in a dataset without other links: what a link
  /// on the way would make of them is not asked.
  static func problem(target: [UInt8], in directory: TreePath) -> ScanProblem.Reason? {
    if target.first == .slash { return .absoluteLink }
    var depth = directory.names.count
    for name in target.split(separator: .slash) {
      if name.elementsEqual([UInt8(ascii: ".")]) { continue }
      if name.elementsEqual([UInt8(ascii: "."), UInt8(ascii: ".")]) {
        depth -= 1
        if depth < 0 { return .leavingLink }
      } else {
        depth += 1
      }
    }
    return nil
  }
}
