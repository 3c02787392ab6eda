import ArgumentParser
import DVFile
import DVObject
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
    let path = try TreePath(fromTop: revision == nil ? argument.bytes : Array(parts[1]))
    let opened = try await SourceRepository(repo, revision: revision, environment: ProcessEnvironment.all).open(from: here)
    return (opened.repository, Location(revision: opened.revision, path: path))
  }
}

extension TreePath {
  /// Reads a path from the top of another repository; nothing and `.` are the top.
  init(fromTop text: [UInt8]) throws {
    var bytes = text
    // As shells complete directories.
    while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let path = bytes.isEmpty || bytes == [UInt8(ascii: ".")] ? .root : TreePath(bytes) else {
      throw RepositoryError(.usage, "'\(SafeText.name(text))' is no path from the top of a repository.")
    }
    self = path
  }
}

/// Where data from elsewhere is put.
struct PlaceOptions: ParsableArguments {
  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Where to put it; an existing directory is put into.", valueName: "path"))
  var output: PathArgument?

  @Flag(name: .shortAndLong, help: "Replace what is there.")
  var force = false
}

/// Which data of another repository is meant.
struct UpstreamOptions: ParsableArguments {
  @Option(name: .long, help: "A revision of that repository; if not given, a folder's working tree or a clone's HEAD.")
  var rev: String?

  @Argument(help: "The other repository.")
  var url: String

  @Argument(help: "The path in it: of tracked data, a part of it, a directory with such, or a file of git's.")
  var path: PathArgument

  /// The path, and what it is called where it is put.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for the top without a name for it.
  func source(_ place: PlaceOptions) throws -> (path: TreePath, name: [UInt8]) {
    let path = try TreePath(fromTop: path.bytes)
    guard let name = path.names.last else {
      guard place.output == nil else { return (path, []) }
      throw RepositoryError(.usage, "All of a repository has no name here.", remedy: "Name the place with -o.")
    }
    return (path, name)
  }
}
