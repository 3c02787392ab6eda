import DVFile
import DVGit
import SystemPackage

/// What git's server, the remote `origin`, has now: asked once, if anything depends on it.
struct GitServer {
  /// By the full name of the reference, the object that it names.
  private let references: [String: String]

  /// Asks it.
  ///
  /// - Returns: `nil` if there is none, or it does not answer.
  init?(of repository: Repository) {
    let words = ["git", "--git-dir=\(repository.git.commonDirectory.string)", "ls-remote", "--quiet", "origin"]
    guard let printed = try? ProgramOutput.of(["sh", "-c", "exec \"$@\" 2>/dev/null", "sh"] + words, limit: 256 << 20) else { return nil }
    var references: [String: String] = [:]
    for line in printed.split(separator: UInt8(ascii: "\n")) {
      let columns = String(decoding: line, as: UTF8.self).split(separator: "\t")
      if columns.count == 2 { references[String(columns[1])] = String(columns[0]) }
    }
    self.references = references
  }

  /// Whether it has a tag of this name.
  func hasTag(_ name: String) -> Bool { references["refs/tags/\(name)"] != nil }

  /// The tip of the branch that all share, as hex digits.
  var sharedTip: String? { ["HEAD", "refs/heads/main", "refs/heads/master"].lazy.compactMap { references[$0] }.first }
}
