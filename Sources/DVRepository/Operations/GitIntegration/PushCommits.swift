import DVGit
import DVStore

/// Pushes the data of the commits that git is about to push: what the hook `pre-push` does.
///
/// That is what the commits bring that no branch of that git remote is known to reach. Besides, as far as that can be
/// done, what the commits pushed name in themselves: an earlier push may have left it out.
public struct PushCommits: Sendable {
  /// One reference that is pushed.
  private struct Update: Sendable {
    let local: String
    let remote: String
  }

  private let gitRemote: String
  private let updates: [Update]

  /// - Parameters:
  ///   - gitRemote: The name of the git remote, or its URL if it has none.
  ///   - input: What git gives the hook: lines of local reference, local ID, remote reference, remote ID.
  public init(to gitRemote: String, input: String) {
    self.gitRemote = gitRemote
    updates = input.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      return words.count == 4 ? Update(local: String(words[1]), remote: String(words[3])) : nil
    }
  }

  /// Carries it out.
  ///
  /// - Returns: what was done for data that the commits bring, then for other data that they name; fewer reports where
  ///   there was nothing to do.
  /// - Throws: ``RepositoryError`` if the commits bring data and there is no remote of dv's to push it to.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> (
    brought: ShareReport?, named: [ShareReport]
  ) {
    let git = repository.git
    // The ID of all zeros stands for no commit: a reference that is made or removed. A tag may be of something else.
    let starts = updates.compactMap { try? git.resolve(revision: $0.local) }
    guard !starts.isEmpty else { return (nil, []) }
    // What the other side has need not be here.
    var hidden = updates.compactMap { try? git.resolve(revision: $0.remote) }
    let prefix = "refs/remotes/\(gitRemote)/"
    hidden += try git.references().filter { $0.name.hasPrefix(prefix) }.compactMap(\.commit)
    let scope = ShareScope.commits(starts, without: hidden)
    var brought: ShareReport?
    if try !ShareRequest([], scope, in: repository).items.isEmpty {
      brought = try await PushData(scope: scope).run(in: repository, progress: progress)
    }
    var named: [ShareReport] = []
    guard let remote = try? repository.remote(nil) else { return (brought, named) }
    for commit in Set(starts).sorted() {
      let complete = repository.knownComplete(on: remote) ?? []
      let items = try ShareRequest([], .revision(commit.hex), in: repository).items
      if items.allSatisfy({ complete.contains($0.root.oid) }) { continue }
      named.append(try await PushData(scope: .revision(commit.hex)).run(in: repository, progress: progress))
    }
    return (brought, named)
  }
}
