import ArgumentParser
import DVFile
import DVGit
import DVObject
import DVRepository
import DVWorkspace
import SystemPackage

struct DiffCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Show which files differ between versions of the data.",
    usage: """
      dv diff [PATH...]
      dv diff A [PATH...]
      dv diff A B [PATH...]
      """,
    discussion: """
      Without a revision, or with one, the data on disk is compared with what HEAD or A has; with two, A with B. \
      'A..B' is the same as 'A B'. Paths may lie inside tracked directories; '--' ends the revisions. Each line begins \
      with A (added), M (modified), D (deleted), R (renamed) or T (a file became a link, or the like).
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Exit with 1 if anything differs.")
  var exitCode = false

  @Argument(help: ArgumentHelp("Revisions, then paths.", valueName: "revision or path"))
  var words: [PathArgument] = []

  func run() async throws {
    let pathCount = ArgumentText.countAfterTerminator
    let paths = Array(words.suffix(pathCount ?? 0))
    let (words, isJSON) = (Array(self.words.dropLast(paths.count)), options.json)
    let (difference, rendering) = try await ProgressDisplay(quiet: options.quiet).show { progress in
      let repository = try Here.repository()
      let (old, new, more) = try Self.revisions(words, in: repository, mayBePaths: pathCount == nil)
      let operation = CompareData(
        from: old, to: new, paths: try Here.treePaths(more + paths, in: repository))
      var rendering: any DifferenceRendering = isJSON ? try DifferenceJSON() : DifferenceText()
      let difference = try await operation.run(in: repository, progress: progress) { try rendering.append($0) }
      return (difference, rendering)
    }
    var end = rendering
    try end.finish(difference)
    if let first = difference.unreadable.first { throw RepositoryError(.conflict, first.message) }
    if exitCode, !difference.isEmpty { throw ExitCode.no }
  }

  /// Takes the revisions off the front of what was given.
  private static func revisions(
    _ words: [PathArgument], in repository: Repository, mayBePaths: Bool
  ) throws -> (old: String?, new: String?, paths: [PathArgument]) {
    var revisions: [String] = []
    var rest = words[...]
    while revisions.count < 2, let word = rest.first, let text = String(validating: word.bytes, as: UTF8.self) {
      if revisions.isEmpty, let range = pair(text, in: repository) {
        revisions = range
      } else if (try? repository.git.resolve(revision: text)) != nil {
        if mayBePaths, try word.path.fileStat() != nil {
          throw RepositoryError(
            .usage, "'\(SafeText.name(text))' is both a revision and a path.",
            remedy: "Write './\(SafeText.name(text))' for the path, or '\(SafeText.name(text)) --' for the revision.")
        }
        revisions.append(text)
      } else {
        break
      }
      rest = rest.dropFirst()
    }
    if !mayBePaths, let word = rest.first {
      throw RepositoryError(.usage, "'\(SafeText.name(word.bytes))' is no revision, and stands before '--'.")
    }
    return (revisions.first, revisions.count > 1 ? revisions[1] : nil, Array(rest))
  }

  /// Reads `A..B`.
  private static func pair(_ text: String, in repository: Repository) -> [String]? {
    for index in text.indices where text[index...].hasPrefix("..") && !text[index...].hasPrefix("...") {
      let parts = [text[..<index], text[text.index(index, offsetBy: 2)...]].map { $0.isEmpty ? "HEAD" : String($0) }
      guard parts.allSatisfy({ (try? repository.git.resolve(revision: $0)) != nil }) else { continue }
      return parts
    }
    return nil
  }
}
