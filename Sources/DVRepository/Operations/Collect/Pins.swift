public import DVGit

/// Commits whose data stays whatever becomes of the branches: `refs/dv/pins/NAME`.
///
/// They are references of git, so that `git push` and `git fetch` with `refs/dv/*` share them. The local garbage collection and
/// retirements on remotes keep what they name.
public struct Pins {
  public struct Pin: Hashable, Sendable {
    public let name: String
    public let commit: GitObjectID
  }

  private static let prefix = "refs/dv/pins/"

  private let repository: Repository

  public init(of repository: Repository) { self.repository = repository }

  /// All pins, by name.
  public func list() throws -> [Pin] {
    try repository.git.references().compactMap { reference in
      guard reference.name.hasPrefix(Self.prefix), let commit = reference.commit else { return nil }
      return Pin(name: String(reference.name.dropFirst(Self.prefix.count)), commit: commit)
    }.sorted { $0.name < $1.name }
  }

  /// Pins what a revision names.
  public func add(_ name: String, at revision: String) throws -> Pin {
    let commit = try repository.git.resolve(revision: revision)
    guard GitRepository.isReferenceName(Self.prefix + name) else {
      throw RepositoryError(.usage, "'\(name)' cannot be the name of a pin.", remedy: "Use letters, digits, '-', '.' and '/'.")
    }
    if let pin = try list().first(where: { $0.name == name }) {
      if pin.commit == commit { return pin }
      throw RepositoryError(
        .conflict, "There is a pin '\(name)', at \(pin.commit.shortHex).", remedy: "Choose another name, or remove it with 'dv pin --remove \(name)'.")
    }
    try repository.git.createReference(Self.prefix + name, at: commit)
    return Pin(name: name, commit: commit)
  }

  /// Removes a pin.
  public func remove(_ name: String) throws {
    let isValid = GitRepository.isReferenceName(Self.prefix + name)
    guard isValid, try repository.git.removeReference(Self.prefix + name) else {
      throw RepositoryError(.usage, "There is no pin '\(name)'.", remedy: "'dv pin' lists them.")
    }
  }
}
