import DVFile
import DVGit
public import SystemPackage

/// Installs and removes dv's git hooks: the operation behind `dv init --hooks`.
///
/// A hook that is there already is kept as `<name>.dv-previous` and run first, with the same arguments and input. The
/// hooks go where git looks for them: `core.hooksPath`, if this repository sets it, else `hooks` of the git directory.
public struct GitHooks: Sendable {
  /// What was done.
  public struct Report: Hashable, Sendable {
    /// The directory of the hooks.
    public let directory: FilePath
    /// Hooks that were written or removed.
    public internal(set) var changed: [String] = []
    /// Hooks of the user's that dv's now call, or that are in their place again.
    public internal(set) var kept: [String] = []
  }

  /// The hooks that dv has.
  public static let names = ["post-checkout", "post-merge", "post-rewrite", "pre-push"]

  private static let mark = "# dv-hook 1"
  private let program: GitProgram

  public init(calling program: GitProgram) { self.program = program }

  /// Installs the hooks, or brings those that are installed up to date.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if the hooks are shared by other repositories; `conflict` if the name
  ///   under which a hook of the user's would be kept is taken.
  public func install(in repository: Repository) throws -> Report {
    let directory = try Self.directory(in: repository)
    try directory.createDirectories()
    var report = Report(directory: directory)
    for name in Self.names {
      let file = directory.appending(name)
      let previous = directory.appending(name + ".dv-previous")
      let script = Array(Self.script(name, program: program).utf8)
      if let present = try content(of: file) {
        if present == script { continue }
        if !Self.isOwn(present) {
          guard try previous.fileStat() == nil else {
            throw RepositoryError(
              .conflict, "'\(file)' is no hook of dv's, and '\(previous)' keeps an earlier one.",
              remedy: "Put what is needed of the two into one of them, remove the other, and run this again.")
          }
          try file.renameNoReplace(to: previous)
          report.kept.append(name)
        }
      }
      try file.replaceContent(with: script.span, mode: 0o777 & ~Machine.umask)
      report.changed.append(name)
    }
    return report
  }

  /// Removes the hooks; those of the user's are put back in place.
  public func uninstall(in repository: Repository) throws -> Report {
    let directory = try Self.directory(in: repository)
    var report = Report(directory: directory)
    for name in Self.names {
      let file = directory.appending(name)
      guard let present = try content(of: file), Self.isOwn(present) else { continue }
      let previous = directory.appending(name + ".dv-previous")
      if try previous.fileStat() != nil {
        try previous.rename(to: file)
        report.kept.append(name)
      } else {
        try file.removeFile()
      }
      report.changed.append(name)
    }
    return report
  }

  private func content(of file: FilePath) throws -> [UInt8]? {
    guard let stat = try file.fileStat() else { return nil }
    // A link is somebody's hook; dv's are files.
    return stat.kind == .regular ? try file.readAll(limit: 16 << 20) : []
  }

  private static func isOwn(_ content: [UInt8]) -> Bool {
    content.split(separator: UInt8(ascii: "\n")).prefix(2).contains { $0.starts(with: mark.utf8) }
  }

  /// Where git looks for hooks.
  private static func directory(in repository: Repository) throws -> FilePath {
    guard let entry = try repository.git.config().entry("core.hookspath"), let value = entry.value, !value.isEmpty
    else {
      return repository.git.commonDirectory.appending("hooks")
    }
    guard let level = entry.level, level >= .repository else {
      throw RepositoryError(
        .usage, "core.hooksPath is '\(value)' for all repositories of this user or machine, not for this one alone.",
        remedy: "Set it for this repository with 'git config core.hooksPath .git/hooks', or call "
          + "'dv git-driver hook NAME \"$@\"' from the hooks there (\(names.joined(separator: ", "))).")
    }
    guard !value.hasPrefix("~") else {
      throw RepositoryError(
        .usage, "core.hooksPath is '\(value)'.", remedy: "Write it as an absolute path, without '~'.")
    }
    return (repository.workDirectory ?? repository.git.gitDirectory).pushing(FilePath(value)).lexicallyNormalized()
  }

  /// The hook as git runs it.
  static func script(_ name: String, program: GitProgram) -> String {
    // A hook before the deed ends it by failing; one after it cannot undo anything, so both are run.
    let isBefore = name == "pre-push"
    // Both hooks are to read the input.
    let hasInput = isBefore || name == "post-rewrite"
    let feed = hasInput ? "printf '%s' \"$input\" | " : ""
    var lines = [
      "#!/bin/sh",
      "\(mark): made by 'dv init --hooks', removed by 'dv init --no-hooks'",
      "previous=\"$(dirname \"$0\")/\(name).dv-previous\"",
      "status=0",
    ]
    if hasInput { lines += ["input=$(cat && echo .)", "input=${input%.}"] }
    lines += ["if [ -x \"$previous\" ]; then", "  \(feed)\"$previous\" \"$@\" || status=$?"]
    if isBefore { lines.append("  [ \"$status\" -eq 0 ] || exit \"$status\"") }
    lines += [
      "fi",
      "if ! command -v \(program.word) >/dev/null 2>&1; then",
      "  echo \"dv: \(name): the program 'dv' is not found\" >&2",
      isBefore ? "  echo \"    Install it, or push without data: git push --no-verify\" >&2" : "  exit \"$status\"",
    ]
    if isBefore { lines.append("  exit 1") }
    lines += [
      "fi",
      "\(feed)\(program.word) git-driver hook \(name) \"$@\" || status=$?",
      "exit \"$status\"",
      "",
    ]
    return lines.joined(separator: "\n")
  }
}
