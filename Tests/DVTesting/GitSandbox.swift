import Foundation
public import SystemPackage

/// A temporary folder with a repository in it, made and changed by the real `git`.
///
/// Nothing of the user's configuration gets in, neither into git nor into what the test calls: `HOME` of the whole test
/// process is an empty folder from the first sandbox on. Clocks are fixed, a minute apart, so that commits are ordered.
public final class GitSandbox {
  /// The folder of the sandbox; the repository is in its `work`.
  public let folder: FilePath
  /// The top of the repository.
  public let work: FilePath
  private var clock = 1_700_000_000

  /// Makes a repository with `git init`.
  public init(initialising options: [String] = ["--initial-branch=main"]) throws {
    try Self.isolateOnce.get()
    folder = FilePath(FileManager.default.temporaryDirectory.path).appending(
      "dv-git-\(UInt64.random(in: .min ... .max))")
    work = folder.appending("work")
    try FileManager.default.createDirectory(atPath: work.string, withIntermediateDirectories: true)
    try git(["init", "--quiet"] + options)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder.string)
  }

  /// Runs git in the repository, or in another directory, and returns what it printed without the last line end.
  ///
  /// - Throws: ``Failure`` with git's own words unless it exits with 0.
  @discardableResult
  public func git(_ arguments: [String], in directory: FilePath? = nil) throws -> String {
    clock += 60
    let ending = try ProgramRun(
      command: [Array("git".utf8)] + arguments.map { Array($0.utf8) },
      environment: Self.environment.merging([
        "GIT_AUTHOR_DATE": "@\(clock) +0100", "GIT_COMMITTER_DATE": "@\(clock) +0100",
      ]) { _, new in new },
      directory: directory ?? work
    ).finish(in: folder)
    guard ending.status == 0 else {
      throw Failure(
        arguments: arguments, status: ending.status, complaint: String(decoding: ending.errors, as: UTF8.self))
    }
    let text = String(decoding: ending.output, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  @discardableResult
  public func git(_ arguments: String..., in directory: FilePath? = nil) throws -> String {
    try git(arguments, in: directory)
  }

  /// Writes a file of the working tree, with its directories.
  public func write(_ path: String, _ content: String) throws {
    try write(work.appending(path), Array(content.utf8))
  }

  /// Writes any file, with its directories.
  public func write(_ file: FilePath, _ content: [UInt8]) throws {
    try FileManager.default.createDirectory(
      atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
    let descriptor = try FileDescriptor.open(
      file, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: 0o644))
    try descriptor.closeAfter { _ = try descriptor.writeAll(content) }
  }

  /// Stages everything, commits it and returns the ID of the commit.
  @discardableResult
  public func commitAll(_ message: String = "change", in directory: FilePath? = nil) throws -> String {
    try git("add", "--all", in: directory)
    try git("commit", "--quiet", "--allow-empty", "--message", message, in: directory)
    return try git("rev-parse", "HEAD", in: directory)
  }

  /// What git said when it failed.
  public struct Failure: Error, CustomStringConvertible {
    public let arguments: [String]
    public let status: Int32
    public let complaint: String
    public var description: String { "git \(arguments.joined(separator: " ")) exited with \(status): \(complaint)" }
  }

  /// The empty `HOME` that all sandboxes of this process share.
  public static let home = FilePath(FileManager.default.temporaryDirectory.path).appending("dv-git-home-\(getpid())")

  private static let environment = [
    "HOME": home.string, "XDG_CONFIG_HOME": home.appending("config").string, "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com", "LC_ALL": "C",
    "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
    // Submodules and shallow clones of folders, which git refuses by default.
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always",
  ]

  /// Libraries read `HOME` from this process, once: it is set before the first of them can.
  private static let isolateOnce = Result<Void, any Error> {
    try FileManager.default.createDirectory(atPath: home.string, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: GitSandbox.home.string) }
    setenv("HOME", home.string, 1)
    setenv("XDG_CONFIG_HOME", home.appending("config").string, 1)
  }
}
