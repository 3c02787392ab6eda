import DVGit

/// Forgets a remote. What is stored there stays.
public struct RemoveRemote: Sendable {
  public struct Report: Sendable {
    public let remote: Remote
    /// Whether it was the default; there is none now, unless another configuration names one.
    public let wasDefault: Bool
  }

  private let name: String

  public init(_ name: String) { self.name = name }

  /// Carries it out, in the project's configuration and in this clone's.
  public func run(in repository: Repository) throws -> Report {
    let remote = try repository.requireRemote(name)
    guard remote.place == .project || remote.place == .clone else {
      throw RepositoryError(
        .usage, "Remote '\(name)' is set in the \(remote.place.rawValue) configuration, which is not this repository's.",
        remedy: "Remove it there: 'dv config --\(remote.place.rawValue) unset remote.\(name).url'.")
    }
    var wasDefault = false
    for place in [Configuration.Place.clone, .project] where repository.configuration.file(place) != nil {
      var isChanged = false
      // Its server, too, and its credentials: the next remote of this name is another one.
      for entry in try repository.configuration.entries(prefix: "remote.\(name).") where entry.level == place.level {
        isChanged = try repository.configuration.unset(entry.name, in: place) || isChanged
      }
      if try repository.configuration.string("core.remote", in: place) == name {
        wasDefault = true
        isChanged = try repository.configuration.unset("core.remote", in: place) || isChanged
      }
      if isChanged, place == .project { try repository.stageConfiguration() }
    }
    try repository.forgetComplete(on: remote)
    return Report(remote: remote, wasDefault: wasDefault)
  }
}

/// Chooses the remote that is used when none is named.
public struct SetDefaultRemote: Sendable {
  private let name: String
  private let place: Configuration.Place?

  /// - Parameter place: which configuration is to say so; without, the one that has the remote.
  public init(_ name: String, in place: Configuration.Place? = nil) {
    self.name = name
    self.place = place
  }

  public func run(in repository: Repository) throws {
    let remote = try repository.requireRemote(name)
    let place = place ?? (remote.place == .project ? .project : .clone)
    if place == .project, remote.place == .clone {
      throw RepositoryError(
        .usage, "Remote '\(name)' is known to this clone alone, so the project cannot have it as its default.",
        remedy: "Set it with --clone, or add the remote to the project.")
    }
    try repository.configuration.set("core.remote", to: name, in: place)
    if place == .project { try repository.stageConfiguration() }
  }
}

extension Repository {
  /// Returns the remote of that name.
  ///
  /// - Throws: ``RepositoryError/Code/usage``, with the names there are.
  func requireRemote(_ name: String) throws -> Remote {
    try Repository.requireRemoteName(name)
    return try remote(name)
  }

  /// The name of the remote that is used when none is named.
  public func defaultRemoteName() -> String? { try? remote(nil).name }
}
