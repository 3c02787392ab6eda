import DVFile
import DVRepository
import DVWorkspace
import SystemPackage

/// Where the command runs: the current directory and the repository it is in.
enum Here {
  /// Opens the repository that the current directory is in.
  static func repository() throws -> Repository {
    try Repository(discoveringFrom: directory(), environment: ProcessEnvironment.variable)
  }

  /// Opens it, with its requests to remotes shown in `progress`.
  static func repository(countingIn progress: ProgressSink) throws -> Repository {
    let repository = try repository()
    progress.follow(repository.requests)
    return repository
  }

  /// The current directory, absolute and without links.
  static func directory() throws -> FilePath {
    do {
      return try CurrentDirectory.path()
    } catch {
      throw RepositoryError(.usage, "The current directory cannot be found: \(error).", remedy: "Go to another one.")
    }
  }

  /// Turns paths as the user gave them into paths relative to the working tree's root.
  static func treePaths(_ paths: [PathArgument], in repository: Repository) throws -> [TreePath] {
    guard !paths.isEmpty else { return [] }
    let directory = try directory()
    return try paths.map { try repository.treePath($0.path, from: directory) }
  }
}
