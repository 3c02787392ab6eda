import DVFile
import DVTesting
import Foundation
import SystemPackage
import Testing

/// A temporary folder in which the real `git` and the dv that was just built work on real files.
///
/// Nothing of the user's configuration gets in: `HOME` is an empty folder of the sandbox. Everything is bytes, so that
/// names which are no UTF-8 can be used. The folder is removed with the sandbox.
final class Sandbox {
  /// The folder of the sandbox.
  let folder: FilePath
  /// The top of the repository in it.
  let work: FilePath
  private let home: FilePath
  private var clock = 1_700_000_000
  /// What programs find in their environment beside what every sandbox has.
  var variables: [String: String] = [:]

  /// Makes the folder and, with `git init` and `dv init`, a repository in its `work`.
  ///
  /// - Parameters:
  ///   - initialised: Whether `dv init` is run and its files are committed.
  ///   - folder: Where to make the sandbox; the system's temporary folder if not given.
  init(initialised: Bool = true, in parent: FilePath? = nil) throws {
    folder = (parent ?? FilePath(FileManager.default.temporaryDirectory.path)).appending(
      "dv-e2e-\(UInt64.random(in: .min ... .max))")
    work = folder.appending("work")
    home = folder.appending("home")
    try work.createDirectories()
    try home.createDirectories()
    try git("init", "--quiet", "--initial-branch=main").succeed()
    if initialised {
      try dv("init").succeed()
      try commit("dv init")
    }
  }

  deinit {
    // What a test made read-only must not outlive it.
    _ = try? run(["chmod", "-R", "u+rwX", Argument(folder)], in: "/")
    try? folder.removeTree()
  }

  // MARK: - Programs

  /// One word of a command line: text, or bytes that are none.
  struct Argument: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    init(_ path: FilePath) { bytes = path.rawBytes }
    init(_ text: String) { bytes = Array(text.utf8) }
    init(stringLiteral text: String) { bytes = Array(text.utf8) }
  }

  /// How a program ended.
  struct Outcome {
    let command: String
    let code: Int32
    let output: [UInt8]
    let errors: [UInt8]

    var text: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: errors, as: UTF8.self) }

    /// The one JSON object that was printed.
    var json: [String: Any] {
      get throws {
        let value = try JSONSerialization.jsonObject(with: Data(output))
        return try #require(value as? [String: Any], "\(command) printed no JSON object: \(text)")
      }
    }

    /// Fails the test unless the program exited with 0.
    @discardableResult
    func succeed(_ location: SourceLocation = #_sourceLocation) throws -> Outcome {
      try exit(0, location)
    }

    /// Fails the test unless the program exited with `code`.
    @discardableResult
    func exit(_ code: Int32, _ location: SourceLocation = #_sourceLocation) throws -> Outcome {
      try #require(
        self.code == code, "\(command) exited with \(self.code), not \(code):\n\(text)\(errorText)",
        sourceLocation: location)
      return self
    }
  }

  /// Runs the dv that was built beside these tests.
  func dv(
    _ arguments: Argument..., in directory: FilePath? = nil, environment: [String: String] = [:]
  ) throws -> Outcome {
    try run([Argument(Self.program)] + arguments, in: directory, environment: environment)
  }

  /// Runs git.
  @discardableResult
  func git(_ arguments: Argument..., in directory: FilePath? = nil) throws -> Outcome {
    try run(["git"] + arguments, in: directory)
  }

  /// Stages all that git sees and commits it.
  func commit(_ message: String = "change", in directory: FilePath? = nil) throws {
    try git("add", "--all", in: directory).succeed()
    try git("commit", "--quiet", "--allow-empty", "--message", Argument(message), in: directory).succeed()
  }

  /// Runs a shell script, for what is shortest said so.
  @discardableResult
  func shell(_ script: String, in directory: FilePath? = nil) throws -> Outcome {
    try run(["sh", "-ec", Argument(script)], in: directory)
  }

  /// Runs a shell script that must succeed to its last command.
  @discardableResult
  func script(_ script: String, in directory: FilePath? = nil, _ location: SourceLocation = #_sourceLocation) throws -> Outcome {
    try shell(script, in: directory).succeed(location)
  }

  /// Runs a program in the repository, or in another directory, with nothing on its standard input.
  func run(
    _ command: [Argument], in directory: FilePath? = nil, environment: [String: String] = [:]
  ) throws -> Outcome {
    clock += 60
    var variables = [
      "HOME": home.string, "XDG_CONFIG_HOME": home.appending("config").string, "GIT_CONFIG_NOSYSTEM": "1",
      "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
      "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com", "LC_ALL": "C",
      "GIT_AUTHOR_DATE": "@\(clock) +0100", "GIT_COMMITTER_DATE": "@\(clock) +0100",
      "PATH": Self.program.removingLastComponent().string + ":"
        + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"),
      // Submodules and clones of folders, which git refuses by default.
      "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always",
    ]
    variables.merge(self.variables) { _, new in new }
    variables.merge(environment) { _, new in new }
    let ending = try ProgramRun(command: command.map(\.bytes), environment: variables, directory: directory ?? work)
      .finish(in: folder)
    return Outcome(
      command: command.map { String(decoding: $0.bytes, as: UTF8.self) }.joined(separator: " "), code: ending.status,
      output: ending.output, errors: ending.errors)
  }

  /// The dv that was built with these tests.
  static let program: FilePath = {
    let tests = FilePath((try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "")
    return tests.removingLastComponent().appending("dv")
  }()

  // MARK: - Files

  /// The place of a path of the repository.
  func path(_ bytes: [UInt8]) -> FilePath { work.appending(name: bytes) }

  func path(_ text: String) -> FilePath { path(Array(text.utf8)) }

  /// Writes a file, with its directories; a file that is there is written again in place.
  func write(_ text: String, to file: FilePath, mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]) throws {
    try write(Array(text.utf8), to: file, mode: mode)
  }

  func write(
    _ bytes: [UInt8], to file: FilePath, mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
  ) throws {
    try file.containingDirectory.createDirectories()
    let descriptor = try FileDescriptor.open(file, .writeOnly, options: [.create, .truncate], permissions: mode)
    try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
  }

  /// Writes a file of the repository.
  func write(_ text: String, to path: String) throws { try write(text, to: self.path(path)) }

  func read(_ path: String) throws -> String {
    String(decoding: try self.path(path).readAll(limit: 1 << 30), as: UTF8.self)
  }

  func exists(_ path: String) throws -> Bool { try self.path(path).fileStat() != nil }
}
