import DVFile
public import SystemPackage

/// How git, through a shell, calls this very program.
public struct GitProgram: Hashable, Sendable {
  /// Where the program is.
  public let path: FilePath
  /// Whether a shell finds it as `dv`.
  public let isInPath: Bool

  /// Finds the running program.
  ///
  /// - Parameter searchPath: the value of `PATH`.
  public init(searchPath: String?) throws {
    let own: FilePath = "/proc/self/exe"
    path = FilePath(rawBytes: try own.readLink())
    let identity = try own.fileStatFollowingLinks()?.identity
    var first: FileStat?
    for directory in (searchPath ?? "").split(separator: ":") where directory.hasPrefix("/") {
      let candidate = FilePath(String(directory)).appending("dv")
      guard let stat = try? candidate.fileStatFollowingLinks(), stat.kind == .regular, stat.isExecutable else {
        continue
      }
      first = stat
      break
    }
    isInPath = first != nil && first?.identity == identity
  }

  /// The program as a word of a shell command.
  public var word: String { isInPath ? "dv" : Self.quoted(path.string) }

  /// Returns `text` as one word for a shell.
  static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
