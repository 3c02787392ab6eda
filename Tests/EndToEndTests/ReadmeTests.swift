import DVTesting
import Foundation
import SystemPackage
import Testing

/// Every command of the README's tour is run, in order, and prints what the README says.
@Suite struct ReadmeTests {
  /// A command of the tour and what the README says it prints.
  struct Step: Equatable {
    var command: String
    var output: String
  }

  @Test func tourPrintsWhatItSays() throws {
    let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
    let steps = Self.steps(of: readme)
    #expect(steps.count >= 10, "the README has lost its tour")
    let folder = FileManager.default.temporaryDirectory.appending(path: "dv-readme-\(UInt64.random(in: .min ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let printed = try Self.run(steps.map(\.command), in: folder)
    for (step, output) in zip(steps, printed) {
      #expect(Self.withoutStoredSizes(output) == Self.withoutStoredSizes(step.output), "$ \(step.command)")
    }
    #expect(printed.count == steps.count)
  }

  /// Blanks what depends on the version of the compressor: how many bytes were stored.
  static func withoutStoredSizes(_ text: String) -> String {
    text.replacing(/[0-9.]+ [kM]?B(?= new after| in [0-9]+ pack)/, with: "#")
  }

  /// Reads the blocks marked `console`: lines with `$ ` are commands, `> ` goes on with one, the rest is output.
  static func steps(of text: String) -> [Step] {
    var steps: [Step] = []
    var isInside = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2)), output: ""))
      } else if isInside, line.hasPrefix("> "), !steps.isEmpty, steps[steps.count - 1].output.isEmpty {
        steps[steps.count - 1].command += "\n" + line.dropFirst(2)
      } else if isInside, !steps.isEmpty {
        steps[steps.count - 1].output += line + "\n"
      }
    }
    return steps
  }

  /// Runs commands in one shell, as somebody who follows the tour does.
  static func run(_ commands: [String], in folder: URL) throws -> [String] {
    let mark = "--- next command of the tour ---"
    let script = commands.map { "\($0)\necho '\(mark)'\n" }.joined()
    let file = folder.appending(path: ".tour.sh")
    try script.write(to: file, atomically: true, encoding: .utf8)
    let words = ["/bin/bash", "-c", "exec 2>&1; source .tour.sh"]
    let ending = try ProgramRun(
      command: words.map { Array($0.utf8) },
      environment: [
        "PATH": Self.products.path + ":/usr/local/bin:/usr/bin:/bin", "HOME": folder.path, "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "TZ": "UTC",
      ],
      directory: FilePath(folder.path)
    ).finish(in: FilePath(FileManager.default.temporaryDirectory.path))
    return Array(String(decoding: ending.output, as: UTF8.self).components(separatedBy: mark + "\n").dropLast())
  }

  /// The top of the project.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The folder of the built programs, where the bundle of these tests lies too.
  static let products: URL = {
    let path = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: path).deletingLastPathComponent()
  }()
}
