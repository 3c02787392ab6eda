import DVFile
public import DVGit
public import SystemPackage

/// dv's settings, from four files in git's syntax; the later one wins:
///
///     /etc/dv/config                          the machine's
///     $XDG_CONFIG_HOME/dv/config              the user's (~/.config/dv/config)
///     .dv/config                              committed: the project's
///     <git directory>/dv/config               this clone's: credentials and overrides
///
/// The committed file comes from whoever may push: it can neither name a command to run nor hold a credential, and its
/// remotes may be used only where they lead outside the repository by URL, never by option.
///
/// Not `Sendable`: reads through libgit2 on one task at a time.
public final class Configuration {
  /// Which of the files.
  public enum Place: String, CaseIterable, Sendable {
    case system
    case user
    case project
    case clone

    /// The place of a level of the stack; `nil` for one that no file here has.
    init?(_ level: GitConfig.Level?) {
      guard let place = Self.allCases.first(where: { $0.level == level }) else { return nil }
      self = place
    }

    var level: GitConfig.Level {
      switch self {
      case .system: .system
      case .user: .user
      case .project: .repository
      case .clone: .clone
      }
    }
  }

  private let config: GitConfig
  private let files: [Place: FilePath]

  /// Opens the settings that hold outside of any repository: the user's and the machine's.
  public convenience init(environment: (String) -> String?) throws {
    try self.init(committed: nil, clone: nil, environment: environment)
  }

  init(committed: FilePath?, clone: FilePath?, environment: (String) -> String?) throws {
    var files: [Place: FilePath] = [.system: "/etc/dv/config"]
    files[.clone] = clone
    files[.project] = committed
    if let base = environment("XDG_CONFIG_HOME"), base.hasPrefix("/") {
      files[.user] = FilePath(base).appending("dv").appending("config")
    } else if let home = environment("HOME"), home.hasPrefix("/") {
      files[.user] = FilePath(home).appending(".config").appending("dv").appending("config")
    }
    self.files = files
    if let committed { try CommittedConfiguration(file: committed).check() }
    config = try GitConfig(files: files.map { (path: $0.value, level: $0.key.level) })
    try refuseCommittedSecrets()
  }

  /// Returns the file of a place; `nil` if there is none here (no home directory, a bare repository).
  public func file(_ place: Place) -> FilePath? { files[place] }

  public func string(_ name: String) throws -> String? { try config.string(name) }

  public func bool(_ name: String) throws -> Bool? { try config.bool(name) }

  public func integer(_ name: String) throws -> Int64? { try config.integer(name) }

  /// Returns every value of every file, in order of precedence, lowest first.
  public func entries(prefix: String = "") throws -> [GitConfig.Entry] {
    prefix.isEmpty ? try config.entries() : try config.entries(prefix: prefix)
  }

  /// Returns the value that counts, with the file it came from.
  public func entry(_ name: String) throws -> GitConfig.Entry? { try config.entry(name) }

  /// Returns what `place` says of `name`.
  public func string(_ name: String, in place: Place) throws -> String? {
    guard let file = files[place] else { return nil }
    return try GitConfig(files: [(path: file, level: place.level)]).string(name)
  }

  /// Sets `name` in one file.
  public func set(_ name: String, to value: String, in place: Place) throws {
    try requireAllowed(name, in: place)
    let file = try requireFile(place)
    try file.containingDirectory.createDirectories()
    try GitConfig.set(name, to: value, in: file)
  }

  /// Removes `name` from one file.
  ///
  /// - Returns: whether it was there.
  public func unset(_ name: String, in place: Place) throws -> Bool {
    try GitConfig.unset(name, in: try requireFile(place))
  }

  private func requireFile(_ place: Place) throws -> FilePath {
    guard let file = files[place] else {
      throw RepositoryError(.usage, "There is no \(place.rawValue) configuration here.")
    }
    return file
  }

  // MARK: What a committed file may say

  /// Last parts of names that are credentials or commands.
  private static let privateKeys: Set<String> = [
    "accesskeyid", "secretaccesskey", "sessiontoken", "password", "token", "profile", "credentialprocess",
    "credentialsfile", "command", "hook", "proxy", "cafile", "store", "trusted", "requesterpays",
    "policybranch",
  ]

  private func requireAllowed(_ name: String, in place: Place) throws {
    guard place == .project, let key = name.split(separator: ".").last?.lowercased(), Self.privateKeys.contains(key)
    else { return }
    throw RepositoryError(
      .usage, "'\(name)' cannot be set in the committed configuration: it is for this machine alone.",
      remedy: "Set it without --project.")
  }

  private func refuseCommittedSecrets() throws {
    for entry in try config.entries() where entry.level == Place.project.level {
      do { try requireAllowed(entry.name, in: .project) } catch {
        throw RepositoryError(
          .usage, "'.dv/config' sets '\(entry.name)', which a committed configuration cannot do.",
          remedy: "Remove it from '.dv/config'; 'dv config \(entry.name) VALUE' sets it for this clone.")
      }
    }
  }
}
