/// The variables of commands that run in a working tree of their own.
enum IsolatedEnvironment {
  /// Names that would lead git, dv or a shell to the user's tree.
  private static let hidden = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "PWD", "OLDPWD"]

  /// Returns `environment`, entries `NAME=value`, without those and without `others`.
  static func of(_ environment: [[UInt8]], without others: [String] = []) -> [[UInt8]] {
    let prefixes = (hidden + others).map { Array("\($0)=".utf8) }
    return environment.filter { entry in !prefixes.contains { entry.starts(with: $0) } }
  }
}
