import DVGit

/// What the user's git says of the signature of a tag or commit, by the keys that the user trusts.
public enum SignatureVerdict: Hashable, Sendable {
  /// There is none.
  case none
  case accepted
  /// With git's own words.
  case refused(String)

  /// Asks git of the tag object or commit `object`.
  ///
  /// - Parameters:
  ///   - isSigned: whether it has a signature; if not, git is not asked.
  ///   - command: `verify-tag` or `verify-commit`.
  private init(_ object: String, isSigned: Bool, _ command: String, _ git: UserGit) async throws {
    guard isSigned else {
      self = .none
      return
    }
    do {
      try await git.run([command, object])
      self = .accepted
    } catch let error as RepositoryError {
      self = .refused(error.message)
    }
  }

  /// Asks git of a tag object.
  ///
  /// - Parameter object: as hex digits.
  static func ofTag(_ object: String, message: String?, _ git: UserGit) async throws -> SignatureVerdict {
    let isSigned = (message ?? "").split(separator: "\n").contains { line in
      ["PGP SIGNATURE", "PGP MESSAGE", "SSH SIGNATURE", "SIGNED MESSAGE"].contains { line == "-----BEGIN \($0)-----" }
    }
    return try await SignatureVerdict(object, isSigned: isSigned, "verify-tag", git)
  }

  /// Asks git of a commit.
  static func ofCommit(_ commit: GitObjectID, in repository: Repository, _ git: UserGit) async throws -> SignatureVerdict {
    let raw = try repository.git.rawObject(commit)
    let isSigned = raw.header("gpgsig") != nil || raw.header("gpgsig-sha256") != nil
    return try await SignatureVerdict(commit.hex, isSigned: isSigned, "verify-commit", git)
  }
}
