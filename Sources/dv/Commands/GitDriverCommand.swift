import ArgumentParser
import DVFile
import DVObject
import DVRepository
import DVWorkspace
import SystemPackage

/// What git calls, by the settings that ``GitRegistration`` makes and by the hooks of `dv init --hooks`. Not for
/// people.
struct GitDriverCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "git-driver", abstract: "Do what git asks for: show, merge and follow pointers.", shouldDisplay: false,
    subcommands: [GitTextCommand.self, GitMergeCommand.self, GitHookCommand.self])
}

/// `diff.dv.textconv`: prints a pointer with the files it stands for.
///
/// git gives up on the whole diff if this fails, so it never does: what cannot be looked into is printed as it is.
struct GitTextCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "textconv", abstract: "Print a pointer with the files it stands for.")

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The file that holds the pointer.")
  var file: PathArgument

  func run() async throws {
    let path = file.path
    guard let stat = try path.fileStatFollowingLinks(), stat.size <= UInt64(Pointer.maximumByteCount) else {
      return try copy(path)
    }
    let reader = try FileReader(path, followingLink: true)
    var bytes: [UInt8] = []
    try reader.readAll(into: &bytes, limit: 1 << 20)
    let store = try? await Here.repository().existingLocalStore()
    try StandardOutput.write(bytes: await PointerText(store: store).text(of: bytes))
  }

  /// Prints what is too long for a pointer.
  private func copy(_ path: FilePath) throws {
    let reader = try FileReader(path, followingLink: true)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = try reader.read(into: &buffer)
      guard count > 0 else { return }
      try StandardOutput.write(bytes: Array(buffer[..<count]))
    }
  }
}

/// `merge.dv.driver`: merges a pointer that both sides changed, and leaves the result in place of ours.
///
/// Exits with 1 if git is to leave the path in conflict; the pointer has git's markers then.
struct GitMergeCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Merge a pointer that two branches changed.")

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The file that holds the common ancestor.")
  var base: PathArgument

  @Argument(help: "The file that holds our version, and takes the result.")
  var ours: PathArgument

  @Argument(help: "The file that holds their version.")
  var theirs: PathArgument

  @Argument(help: "How long conflict markers are.")
  var markerSize: Int

  @Argument(help: "The path of the pointer in the repository.")
  var path: PathArgument

  func run() async throws {
    let sides = try [base, ours, theirs].map { try $0.path.readAll(limit: 64 << 20) }
    do {
      switch try await outcome(sides) {
      case .merged(let pointer):
        try ours.path.replaceContent(with: pointer.encoded().span, durable: false)
        return
      case .conflicted(let conflict):
        say(MergeText(path: path.bytes).lines(for: conflict))
      }
    } catch {
      // Whatever the reason, both sides stay visible and git knows of the conflict.
      say(["\(MergeText(path: path.bytes).name) is left in conflict."] + ErrorText(error).lines)
    }
    try ours.path.replaceContent(with: marked(sides[1], sides[2]).span, durable: false)
    throw ExitCode.no
  }

  private func outcome(_ sides: [[UInt8]]) async throws -> MergePointers.Outcome {
    let name = SafeText.name(path.bytes)
    let pointers = try sides.dropFirst().map { side in try Pointer(parsing: side.span, named: name) }
    let ancestor = sides[0]
    let base: MergePointers.Base
    if ancestor.isEmpty {
      base = .none
    } else if let pointer = try? Pointer(parsing: ancestor.span, named: name) {
      base = .pointer(pointer)
    } else {
      base = .unreadable
    }
    let target = TreePath(path.bytes).map { PointerFile.target(of: $0) } ?? .root
    return try await MergePointers(base: base, ours: pointers[0], theirs: pointers[1], target: target)
      .run(in: try Here.repository())
  }

  /// Both sides with git's markers around them.
  private func marked(_ ours: [UInt8], _ theirs: [UInt8]) -> [UInt8] {
    // A reader of pointers knows a conflict by seven of these characters.
    let size = max(7, min(markerSize, 100))
    func line(_ character: Character, _ word: String) -> [UInt8] {
      Array((String(repeating: character, count: size) + word + "\n").utf8)
    }
    func ended(_ side: [UInt8]) -> [UInt8] { side.last.map { $0 == UInt8(ascii: "\n") } ?? true ? side : side + [0x0a] }
    return line("<", " ours") + ended(ours) + line("=", "") + ended(theirs) + line(">", " theirs")
  }

  private func say(_ lines: [String]) {
    StandardError.write(lines.enumerated().map { ($0 == 0 ? "dv: " : "    ") + SafeText.message($1) + "\n" }.joined())
  }
}

/// What a person reads of a conflict.
private struct MergeText {
  let path: [UInt8]

  var name: String { "'\(SafeText.name(path))'" }
  private var target: String { SafeText.name(Array(path.dropLast(Pointer.suffix.utf8.count))) }

  func lines(for conflict: MergePointers.Conflict) -> [String] {
    let pointer = SafeText.name(path)
    let oneSide = [
      "Take one side with 'git checkout --ours \(pointer)' or '--theirs', then 'git add \(pointer)'",
      "and 'dv checkout \(target)'; or put the right data in place and 'dv add \(target)'.",
    ]
    switch conflict {
    case .run:
      return [
        "\(name): both sides have other data, made by a run: nothing that is put together of the two was made by any.",
        "Merge the inputs, then make it again with 'dv repro'.",
      ]
    case .file: return ["\(name): both sides changed the file."] + oneSide
    case .kind: return ["\(name): a file on one side, a directory on the other."] + oneSide
    case .base: return ["\(name): both sides changed it, and what they began with cannot be read."] + oneSide
    case .paths(let conflicts, let count):
      let shown = conflicts.prefix(20).map { "  \(SafeText.name($0.path.bytes)) (\($0.kind.rawValue))" }
      let more = count > 20 ? ["  and \(Count(UInt64(count - 20))) more"] : []
      return ["\(name): \(Count(UInt64(count)).of("file")) changed on both sides:"] + shown + more + oneSide
    }
  }
}

/// What the hooks call.
struct GitHookCommand: Command {
  static let configuration = CommandConfiguration(commandName: "hook", abstract: "Do what belongs to a git hook.")

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The name of the hook.")
  var name: String

  @Argument(parsing: .allUnrecognized, help: "What git gave the hook.")
  var arguments: [String] = []

  func run() async throws {
    switch name {
    case "post-checkout", "post-merge": await follow()
    case "post-rewrite":
      // An amended commit has the files that are there.
      if arguments.first != "amend" { await follow() }
    case "pre-push": try await push()
    default: throw ValidationError("dv has no hook '\(name)'.")
    }
  }

  /// Brings the data behind pointers that changed. Never fails: git has done its part.
  private func follow() async {
    do {
      let report = try await ProgressDisplay(quiet: !Terminal.isTerminal(.standardError)).show { progress in
        try await FollowPointers().run(in: try Here.repository(), progress: progress)
      }
      for target in report.modified {
        say("'\(SafeText.name(target.bytes))' was modified and stays: 'dv status' lists what, 'dv add' keeps it.")
      }
      if !report.absent.isEmpty {
        let names = report.absent.prefix(5).map { "'\(SafeText.name($0.bytes))'" }.joined(separator: ", ")
        let more = report.absent.count > 5 ? " and \(report.absent.count - 5) more" : ""
        say("\(names)\(more): not all of it is on this machine, 'dv pull' fetches it.")
      }
      for problem in report.problems { say(problem) }
    } catch {
      say(ErrorText(error).lines.joined(separator: "\n"))
    }
  }

  /// Pushes the data of what git is about to push, and stops git if that fails.
  private func push() async throws {
    if let skip = ProcessEnvironment.variable("DV_SKIP_PUSH"), !skip.isEmpty, skip != "0" {
      return say("the data is not pushed (DV_SKIP_PUSH is set); 'dv push --all' pushes it later.")
    }
    let operation = PushCommits(to: arguments.first ?? "", input: try Self.standardInput())
    do {
      let reports = try await ProgressDisplay(quiet: !Terminal.isTerminal(.standardError)).show { progress in
        try await operation.run(in: try Here.repository(), progress: progress)
      }
      for report in [reports.brought].compactMap(\.self) + reports.named where !report.fresh.isEmpty {
        for line in report.summary(verb: "Pushed") { say(line) }
      }
      try reports.brought?.throwFailures(verb: "pushed")
      for failure in reports.named.flatMap(\.failures) {
        say("'\(SafeText.name(failure.path))' is in a commit that is pushed, and neither here nor on the remote.")
      }
    } catch {
      if error is CancellationError { throw error }
      let text = ErrorText(error)
      say(text.lines.joined(separator: "\n"))
      say("git push was stopped, because its data could not be pushed. Without data: DV_SKIP_PUSH=1 git push")
      throw ExitCode.no
    }
  }

  private static func standardInput() throws -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = try unsafe buffer.withUnsafeMutableBytes { unsafe try FileDescriptor.standardInput.read(into: $0) }
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }

  private func say(_ text: String) { StandardError.write("dv: \(SafeText.message(text))\n") }
}
