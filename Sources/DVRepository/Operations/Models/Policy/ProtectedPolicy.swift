import DVFile
import DVGit
public import DVLineage
import DVObject
import SystemPackage

/// The policy of a repository, as the tip of its protected branch has it.
///
/// Never as the promoted commit or the working tree has it: else whoever promotes could write his own. The branch is the setting
/// `model.policyBranch`, which a committed configuration cannot name; without it the remote's default branch as it was last fetched
/// (`origin/HEAD`, else `origin/main`, `origin/master`), in a clone without those its own `main` or `master`.
public struct ProtectedPolicy: Sendable {
  /// The full name of the reference.
  public let branch: String
  /// Its tip, as hex digits.
  public let commit: String
  /// The git blob of the policy, as hex digits; `nil` if the branch has none.
  public let blob: String?
  /// `nil` if the branch has none: nothing is needed then.
  public let policy: ModelPolicy?

  private static let candidates = [
    "refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master",
  ]

  /// Reads it.
  ///
  /// - Returns: `nil` if no branch is found and there is no policy that could be meant.
  /// - Throws: ``RepositoryError/Code/usage`` if the branch that is configured is not here, or none is found though there is a policy;
  ///   ``PipelineError`` if the policy makes no sense: then nothing is promoted.
  public static func read(in repository: Repository) throws -> ProtectedPolicy? {
    let references = try repository.git.references().reduce(into: [String: GitObjectID]()) { $0[$1.name] = $1.commit }
    var wanted = candidates
    let setting = try repository.configuration.string("model.policyBranch")
    // Full names only: a tag that is called like a branch must not stand in for it.
    if let setting { wanted = setting.hasPrefix("refs/") ? [setting] : ["refs/remotes/\(setting)", "refs/heads/\(setting)"] }
    guard let branch = wanted.first(where: { references[$0] != nil }), let commit = references[branch] else {
      if let setting {
        throw RepositoryError(
          .usage, "The protected branch '\(setting)', which 'model.policyBranch' names, is not in this clone.",
          remedy: "'git fetch' it, or set 'model.policyBranch' to the branch that holds '\(ModelPolicy.path)'.")
      }
      guard try hasPolicy(repository) else { return nil }
      throw RepositoryError(
        .usage, "There is a '\(ModelPolicy.path)', and no branch is known that protects it.",
        remedy: "Name it with 'dv config model.policyBranch origin/BRANCH', and 'git fetch' it.")
    }
    let path = try GitPath(ModelPolicy.path)
    guard let entry = try repository.git.entry(at: path, in: commit) else {
      return ProtectedPolicy(branch: branch, commit: commit.hex, blob: nil, policy: nil)
    }
    guard entry.kind == .file || entry.kind == .executable else {
      throw RepositoryError(.usage, "'\(ModelPolicy.path)' of '\(branch)' is no file.", remedy: "Commit it as a file.")
    }
    let bytes = try repository.git.readBlob(entry.id, limit: ModelPolicy.maximumByteCount)
    let policy = try ModelPolicy(parsing: bytes, named: "\(shortName(branch)):\(ModelPolicy.path)")
    return ProtectedPolicy(branch: branch, commit: commit.hex, blob: entry.id.hex, policy: policy)
  }

  /// Such as `origin/main`.
  public var branchName: String { Self.shortName(branch) }

  private static func shortName(_ branch: String) -> String {
    for prefix in ["refs/remotes/", "refs/heads/"] where branch.hasPrefix(prefix) { return String(branch.dropFirst(prefix.count)) }
    return branch
  }

  private static func hasPolicy(_ repository: Repository) throws -> Bool {
    if let head = try repository.git.head().commit, try repository.git.entry(at: GitPath(ModelPolicy.path), in: head) != nil { return true }
    guard let work = repository.workDirectory else { return false }
    return try work.appending(".dv").appending("policy.yaml").fileStat() != nil
  }
}

extension Repository {
  /// The user's trust store: the file that `DV_TRUST_STORE` or the setting `trust.store` names, else `trust.yaml` beside the user's configuration,
  /// whether it is there or not; `nil` if nobody has a home here.
  func trustStoreFile() throws -> (file: FilePath, isNamed: Bool)? {
    guard let named = try environment("DV_TRUST_STORE") ?? configuration.string("trust.store") else {
      return configuration.file(.user).map { ($0.removingLastComponent().appending("trust.yaml"), false) }
    }
    if named.hasPrefix("~/"), let home = environment("HOME") { return (FilePath(home).pushing(FilePath(String(named.dropFirst(2)))), true) }
    guard named.hasPrefix("/") else {
      throw RepositoryError(.usage, "The trust store is '\(named)', which is no absolute path.", remedy: "Name it from '/' or '~/' on.")
    }
    return (FilePath(named), true)
  }

  /// Reads the trust store; one that trusts nobody if there is none.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if it, or a key that it names, lies in the working tree: whoever may commit could add keys then.
  func trustStore() throws -> TrustStore {
    guard let (file, isNamed) = try trustStoreFile(), try isNamed || file.fileStatFollowingLinks() != nil else { return TrustStore() }
    try requireOutside(file)
    let bytes = try file.readAll(limit: TrustStore.maximumByteCount)
    return try TrustStore(parsing: bytes, named: file.printable) { name in
      let key = file.removingLastComponent().pushing(FilePath(name))
      try requireOutside(key)
      return String(decoding: try key.readAll(limit: 64 << 10), as: UTF8.self)
    }
  }

  private func requireOutside(_ file: FilePath) throws {
    guard let work = workDirectory?.resolvingLinks() else { return }
    let own = git.commonDirectory.resolvingLinks()
    // Where its name stands, and where a link leads.
    let places = [file.removingLastComponent().resolvingLinks(), file.resolvingLinks()].compactMap { $0 }
    guard places.allSatisfy({ place in !place.starts(with: work) || own.map { place.starts(with: $0) } == true }) else {
      throw RepositoryError(
        .usage, "'\(file.printable)' lies in the working tree, where whoever may commit could add keys of his own.",
        remedy: "Keep trusted keys outside of the repository.")
    }
  }
}
