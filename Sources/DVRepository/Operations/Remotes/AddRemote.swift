import DVBackend
import DVFile
import DVGit
public import DVS3
import SystemPackage

/// Names a place that stores are shared through.
///
/// In the project's configuration, unless asked otherwise, so that everybody who clones the project has it.
public struct AddRemote: Sendable {
  public struct Report: Sendable {
    public let remote: Remote
    /// Whether it is the default now.
    public let isDefault: Bool
    /// Whether the configuration was changed.
    public let isChanged: Bool
    /// Whether this user may push to it.
    public let isWritable: Bool
    /// What the server of a bucket can do; `nil` if that was not tried.
    public let capabilities: S3Capabilities?
  }

  /// How a bucket is reached: what is given is written beside the URL.
  public struct BucketOptions: Sendable {
    public var endpoint: String?
    public var region: String?
    public var addressing: String?
    /// The name of a profile of AWS's programs; for this clone alone.
    public var profile: String?
    /// Whether requests go unsigned.
    public var isAnonymous = false

    public init() {}

    var isEmpty: Bool { endpoint == nil && region == nil && addressing == nil && profile == nil && !isAnonymous }

    /// What is to be set, and whether in this clone's configuration in any case.
    func settings(_ name: String) -> [(name: String, value: String, isOwn: Bool)] {
      var settings: [(String, String?, Bool)] = [
        ("endpoint", endpoint, false), ("region", region, false), ("addressing", addressing, false),
        ("profile", profile, true),
      ]
      if isAnonymous { settings.append(("anonymous", "true", false)) }
      return settings.compactMap { key, value, isOwn in value.map { ("remote.\(name).\(key)", $0, isOwn) } }
    }
  }

  private let name: String
  private let url: String
  private let place: Configuration.Place
  private let makesDefault: Bool
  private let isForced: Bool
  private let creates: Bool
  private let bucket: BucketOptions

  /// - Parameters:
  ///   - url: a path, kept as it is written; a relative one starts at the top of the working tree.
  ///   - place: the project's configuration, which is staged for the next commit, or this clone's.
  ///   - makesDefault: whether it becomes the default; the first remote does in any case.
  ///   - isForced: whether a remote of that name is changed, and a directory with other things in it is taken.
  ///   - bucket: how a bucket is reached.
  ///   - creates: whether the directory and those above it are made if they are missing. Without, the directory is made
  ///     only if the one that contains it is there: a share that is not mounted is not taken for an empty one.
  public init(
    _ name: String, url: String, in place: Configuration.Place = .project, makesDefault: Bool = false,
    isForced: Bool = false, creates: Bool = false, bucket: BucketOptions = BucketOptions()
  ) {
    self.name = name
    self.url = url
    self.place = place
    self.makesDefault = makesDefault
    self.isForced = isForced
    self.creates = creates
    self.bucket = bucket
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError`` with code `usage` if the name is taken, `unreachable` if the place is not there.
  public func run(in repository: Repository) async throws -> Report {
    try Repository.requireRemoteName(name)
    if place == .project { try repository.requireProject() }
    let parsed = try RemoteURL(url, relativeTo: repository.workDirectory ?? repository.git.gitDirectory)
    let before = try repository.remotes()
    let same = before.first { $0.name == name }
    if let same, same.text != url, !isForced {
      throw RepositoryError(
        .usage, "There is a remote '\(name)' already: \(same.text).", remedy: "Take another name, or change it with --force.")
    }
    let remote = Remote(name: name, url: parsed, text: url, place: place)
    let look = try await look(at: remote, in: repository)
    let isDefault =
      try makesDefault || before.allSatisfy { $0.name == name } && repository.configuration.string("core.remote") == nil
    var isChanged = false
    if try repository.configuration.string("remote.\(name).url", in: place) != url {
      try repository.configuration.set("remote.\(name).url", to: url, in: place)
      isChanged = true
    }
    for setting in bucket.settings(name) {
      let place = setting.isOwn ? .clone : place
      guard try repository.configuration.string(setting.name, in: place) != setting.value else { continue }
      try repository.configuration.set(setting.name, to: setting.value, in: place)
      isChanged = true
    }
    // Who gives the server's URL here and now knows it.
    if place == .project, let endpoint = bucket.endpoint {
      try repository.configuration.set("remote.\(name).trusted", to: endpoint, in: .clone)
    }
    if isDefault, try repository.configuration.string("core.remote", in: place) != name {
      try repository.configuration.set("core.remote", to: name, in: place)
      isChanged = true
    }
    if isChanged, place == .project { try repository.stageConfiguration() }
    return Report(
      remote: remote, isDefault: isDefault, isChanged: isChanged, isWritable: look.isWritable,
      capabilities: look.capabilities)
  }

  /// Checks that the place can be used.
  ///
  /// - Returns: whether it can be written to, and what a bucket's server can do.
  private func look(at remote: Remote, in repository: Repository) async throws -> RemoteLook {
    if case .s3 = remote.url {} else if !bucket.isEmpty {
      throw RepositoryError(
        .usage, "'\(url)' is no bucket: an endpoint, region, addressing, profile or anonymous access is for those only.",
        remedy: "Leave the option out, or give 's3://bucket/prefix'.")
    }
    switch remote.url {
    case .s3(let location):
      var opening = try repository.opening(of: remote).bucket
      try opening.settings.apply(bucket)
      return try await RemoteLook(at: location, opening)
    case .http:
      _ = try await repository.opening(of: remote).backend().list("format/")
      return RemoteLook(isWritable: false)
    case .directory(let path):
      let backend = try open(path)
      let listing = try path.listDirectory()
      let foreign = listing.indices.map { String(decoding: listing.name(at: $0), as: UTF8.self) }
        .filter { !$0.hasPrefix(".") && $0 != "tmp" && $0 != "lost+found" }
      if !foreign.isEmpty, !foreign.contains("format"), !isForced {
        throw RepositoryError(
          .usage, "The directory '\(path)' is not empty and holds no dv store ('\(foreign[0])' is in it).",
          remedy: "Give a directory of its own, which --create makes, or take this one all the same with --force.")
      }
      do throws(BackendError) {
        _ = try await backend.clock()
        return RemoteLook(isWritable: true)
      } catch {
        guard error.code == .denied else { throw error }
        return RemoteLook(isWritable: false)
      }
    }
  }

  private func open(_ path: FilePath) throws -> DirectoryBackend {
    let creates = try creates || path.removingLastComponent().fileStatFollowingLinks()?.kind == .directory
    do throws(BackendError) { return try DirectoryBackend(root: path, create: creates) } catch {
      guard error.code == .notFound else { throw error }
      throw RepositoryError(
        .unreachable, "The directory '\(path)' does not exist, and neither does the one that would contain it.",
        remedy: "Check the path (a relative one starts at the top of the repository), mount it, or make it with --create.")
    }
  }
}

extension Repository {
  /// Stages `.dv/config` for the next commit.
  func stageConfiguration() throws {
    try git.stage(adding: [try GitPath(".dv/config")])
  }
}
