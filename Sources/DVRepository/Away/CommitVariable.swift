/// The commit that a directory without git was made from, as whoever put it there says.
struct CommitVariable {
  /// dv's own, then those of GitHub, GitLab, Jenkins, Buildkite, CircleCI, Bitbucket, Travis, Azure, Drone, CodeBuild and Cloud Build.
  static let names = [
    "DV_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "BUILDKITE_COMMIT", "CIRCLE_SHA1", "BITBUCKET_COMMIT", "TRAVIS_COMMIT",
    "BUILD_SOURCEVERSION", "DRONE_COMMIT_SHA", "CODEBUILD_RESOLVED_SOURCE_VERSION", "COMMIT_SHA",
  ]

  /// Returns the commit, 40 hex digits; `nil` if nobody says.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if `DV_COMMIT` is no commit. Of the others one that is none is passed over: they belong
  ///   to others.
  static func commit(_ variables: [String: String]) throws -> String? {
    for name in names {
      guard let text = variables[name]?.lowercased(), !text.isEmpty else { continue }
      if text.utf8.count == 40, text.allSatisfy({ $0.isHexDigit }) { return text }
      guard name == "DV_COMMIT" else { continue }
      throw RepositoryError(.usage, "DV_COMMIT is '\(text.prefix(100))'.", remedy: "Set it to all 40 digits of a commit: 'git rev-parse HEAD'.")
    }
    return nil
  }
}
