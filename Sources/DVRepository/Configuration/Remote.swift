import DVGit

/// A named place that stores are shared through.
public struct Remote: Hashable, Sendable {
  public let name: String
  public let url: RemoteURL
  /// As configured.
  public let text: String
  /// Which file it is configured in.
  public let place: Configuration.Place
}

extension Repository {
  /// Returns the remotes, by name.
  public func remotes() throws -> [Remote] {
    var found: [String: Remote] = [:]
    for entry in try configuration.entries(prefix: "remote.") {
      guard entry.name.hasSuffix(".url"), let text = entry.value else { continue }
      let name = String(entry.name.dropFirst("remote.".count).dropLast(".url".count))
      let place = Configuration.Place.allCases.first { $0.level == entry.level } ?? .clone
      // Later entries have precedence.
      found[name] = Remote(
        name: name, url: try RemoteURL(text, relativeTo: configurationBase), text: text, place: place)
    }
    return found.values.sorted { $0.name < $1.name }
  }

  /// Returns the remote to use: the one named, else the default (`core.remote`), else the only one, else `origin`.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if there is no such remote, or it cannot be found from here.
  public func remote(_ name: String?) throws -> Remote {
    let remote = try chosenRemote(name)
    if let elsewhere, !remote.text.contains("://"), !remote.text.hasPrefix("/") {
      throw RepositoryError(
        .usage, "Remote '\(remote.name)' of '\(elsewhere)' is '\(remote.text)', which is relative to a folder that is not here.",
        remedy: "Clone that repository where the path is right and give the folder, or have its remote named by a URL or a whole path.")
    }
    return remote
  }

  private func chosenRemote(_ name: String?) throws -> Remote {
    let all = try remotes()
    if let wanted = try name ?? configuration.string("core.remote") {
      if let remote = all.first(where: { $0.name == wanted }) { return remote }
      throw RepositoryError(
        .usage, "There is no remote '\(wanted)'.",
        remedy: all.isEmpty
          ? "Add it with 'dv remote add \(wanted) PATH'." : "There are: \(all.map(\.name).joined(separator: ", ")).")
    }
    if let remote = all.count == 1 ? all.first : all.first(where: { $0.name == "origin" }) { return remote }
    throw RepositoryError(
      .usage, all.isEmpty ? "No remote is configured." : "Several remotes are configured, and none is the default.",
      remedy: all.isEmpty
        ? "Add one with 'dv remote add origin PATH'."
        : "Name one with -r, or set the default with 'dv remote set-default NAME'.")
  }

  /// Checks that `name` can name a remote.
  public static func requireRemoteName(_ name: String) throws {
    let isValid = !name.isEmpty && name.utf8.count <= 64
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
    guard isValid, !name.hasPrefix("-") else {
      throw RepositoryError(.usage, "'\(name)' cannot name a remote: letters, digits, '-' and '_' only, 64 at most.")
    }
  }
}
