import ArgumentParser
import DVFile
import DVRepository
import DVWorkspace

/// Which repository a question is about.
struct SourceOptions: ParsableArguments {
  @Option(
    name: .long, help: ArgumentHelp("Another repository: a folder, or what git can clone; paths are from its top.", valueName: "url"))
  var repo: String?
}

extension SourceOptions {
  /// Opens the repository at a revision.
  ///
  /// - Returns: also the revision that is meant, and the directory in it that the command runs in.
  func open(at revision: String?) async throws -> (Repository, String?, TreePath) {
    let here = try Here.directory()
    guard let repo else {
      let repository = try Here.repository()
      return (repository, revision, try repository.workDirectory == nil ? .root : repository.treePath(".", from: here))
    }
    let opened = try await SourceRepository(repo, revision: revision, environment: ProcessEnvironment.all).open(from: here)
    return (opened.repository, opened.revision, .root)
  }

  /// Opens the repository and reads `[REV:]PATH` in it.
  func location(_ argument: PathArgument) async throws -> (Repository, Location) {
    let here = try Here.directory()
    guard let repo else {
      let repository = try Here.repository()
      return (repository, try repository.location(argument.bytes, from: here))
    }
    // A revision is what stands before the first colon, as everywhere.
    let parts = argument.bytes.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    let revision = parts.count == 2 && !parts[0].isEmpty ? String(decoding: parts[0], as: UTF8.self) : nil
    var bytes = parts.count == 2 && !parts[0].isEmpty ? Array(parts[1]) : argument.bytes
    while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let path = bytes.isEmpty || bytes == [UInt8(ascii: ".")] ? .root : TreePath(bytes) else {
      throw RepositoryError(.usage, "'\(SafeText.name(argument.bytes))' is no path from the top of a repository.")
    }
    let opened = try await SourceRepository(repo, revision: revision, environment: ProcessEnvironment.all).open(from: here)
    return (opened.repository, Location(revision: opened.revision, path: path))
  }
}
