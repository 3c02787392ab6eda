import DVFile
import DVLineage
import DVPipeline
import DVWorkspace
import SystemPackage

/// Of the files that a run opened, those that its stage does not declare and that are likely to matter.
///
/// Left out is what every program reads: the system's libraries and settings, the interpreter and its packages, caches of
/// compiled code, what git and dv keep for themselves.
struct UndeclaredFiles {
  let stage: Stage
  /// The working tree's root, without links.
  let root: [UInt8]
  /// The user's home directory, without links; `nil` if there is none.
  let home: [UInt8]?
  /// Directories of git and of dv's store.
  let own: [[UInt8]]

  /// The most files that are named.
  static let limit = 500

  /// Where systems keep what belongs to programs and to the machine.
  private static let system = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/proc", "/run", "/sbin", "/snap", "/sys",
    "/usr", "/var",
  ].map { Array($0.utf8) }

  /// Names of directories whose content belongs to interpreters, package managers and caches.
  private static let noise = Set(
    [
      "__pycache__", "site-packages", "dist-packages", "node_modules", ".git", ".dv", ".venv", "venv", ".tox", ".nox", ".pyenv",
      ".conda", "miniconda3", "anaconda3", "miniforge3", ".ipython", ".jupyter", ".ipynb_checkpoints", ".mypy_cache",
      ".pytest_cache", ".nv", ".triton", ".keras", ".fontconfig", "fontconfig", "matplotlib", "pip", "uv",
    ].map { Array($0.utf8) })

  /// Such directories that are noise only in the user's home.
  private static let homeNoise = Set([".config", ".local", ".cargo", ".rustup"].map { Array($0.utf8) })

  /// Returns what was read and what was written, sorted by path.
  func find(in log: AccessLog) -> [RunRecord.Undeclared] {
    // `/opt/python/bin/python3` brings its own libraries.
    var programs: [[UInt8]] = []
    for program in log.programs where !Self.isBelow(root, program) {
      let parts = program.split(separator: UInt8(ascii: "/"))
      guard parts.count > 2, parts[parts.count - 2].elementsEqual("bin".utf8) else { continue }
      let prefix: [UInt8] = parts.dropLast(2).flatMap { [UInt8(ascii: "/")] + $0 }
      for inner in ["/bin", "/lib", "/lib64", "/include", "/share"] { programs.append(prefix + Array(inner.utf8)) }
      programs.append(prefix + Array("/pyvenv.cfg".utf8))
    }
    var found: [RunRecord.Undeclared] = []
    for path in log.writes where Self.isBelow(root, path) {
      if let name = inside(path), isFile(path) { found.append(RunRecord.Undeclared(path: name, isOutput: true)) }
    }
    for path in log.reads.union(log.programs) where !log.writes.contains(path) {
      if Self.isBelow(root, path) {
        if let name = inside(path), isFile(path) { found.append(RunRecord.Undeclared(path: name, isOutput: false)) }
      } else if !isNoise(path, programs), isFile(path) {
        found.append(RunRecord.Undeclared(path: outside(path), isOutput: false))
      }
    }
    return Array(Set(found)).sorted { ($0.isOutput ? 1 : 0, $0.path) < ($1.isOutput ? 1 : 0, $1.path) }
  }

  private static func isBelow(_ directory: [UInt8], _ path: [UInt8]) -> Bool {
    path.count > directory.count && path.starts(with: directory) && path[directory.count] == UInt8(ascii: "/")
  }

  private func isFile(_ path: [UInt8]) -> Bool {
    (try? FilePath(rawBytes: path).fileStatFollowingLinks())?.kind == .regular
  }

  /// The path in the working tree; `nil` for what is declared, or nobody would declare.
  private func inside(_ path: [UInt8]) -> String? {
    guard !own.contains(where: { Self.isBelow($0, path) }), let text = String(validating: path.dropFirst(root.count + 1), as: UTF8.self),
      let name = try? StagePath(text)
    else { return nil }
    let names = path.dropFirst(root.count + 1).split(separator: UInt8(ascii: "/"))
    guard !names.contains(where: { Self.noise.contains(Array($0)) }), !text.hasSuffix(".pyc"), !text.hasSuffix(".dv"),
      name != stage.file, names.last.map({ !$0.elementsEqual(".gitignore".utf8) && !$0.elementsEqual(".dvignore".utf8) }) ?? false
    else { return nil }
    let declared = stage.reads + stage.outputs.map(\.path)
    return declared.contains { name.isInside($0) } ? nil : name.text
  }

  private func isNoise(_ path: [UInt8], _ programs: [[UInt8]]) -> Bool {
    if (Self.system + own + programs).contains(where: { $0 == path || Self.isBelow($0, path) }) { return true }
    if programs.contains(path) { return true }
    let names = path.split(separator: UInt8(ascii: "/")).map(Array.init)
    if names.contains(where: { Self.noise.contains($0) }) { return true }
    if let home, Self.isBelow(home, path), let first = path.dropFirst(home.count + 1).split(separator: UInt8(ascii: "/")).first {
      return Self.homeNoise.contains(Array(first))
    }
    return false
  }

  /// The path as it is recorded: without the name of the user's home.
  private func outside(_ path: [UInt8]) -> String {
    if let home, Self.isBelow(home, path) { return "~" + String(decoding: path.dropFirst(home.count), as: UTF8.self) }
    return String(decoding: path, as: UTF8.self)
  }
}
