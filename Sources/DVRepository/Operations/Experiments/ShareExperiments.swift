import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import SystemPackage

/// Pushes experiments: their data to dv's remote, then their commits to git's.
public struct PushExperiments: Sendable {
  private let names: [String]
  private let gitRemote: String
  private let remote: String?

  /// - Parameters:
  ///   - names: all if there is none.
  ///   - gitRemote: where git pushes to, by name or URL.
  ///   - remote: dv's remote; the default one if not given.
  public init(_ names: [String], to gitRemote: String, data remote: String? = nil) {
    self.names = names
    self.gitRemote = gitRemote
    self.remote = remote
  }

  /// Carries it out.
  ///
  /// - Returns: the names of those pushed, and what was done for their data.
  /// - Throws: what pushing data throws; ``FileError`` if git refuses. An experiment whose data is not complete is not pushed.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> (names: [String], shares: [ShareReport]) {
    let prefix = Experiment.referencePrefix
    let chosen = names.isEmpty
      ? try repository.git.referenceTargets(prefix: prefix).map { String($0.name.dropFirst(prefix.count)) } : names
    var shares: [ShareReport] = []
    var ready: [String] = []
    for name in chosen {
      let kept = try repository.experiment(named: name)
      // Without data and without a remote there is nothing but the commit.
      let hasData = try !ShareRequest([], .revision(kept.commit), in: repository).items.isEmpty
      if !hasData, (try? repository.remote(remote)) == nil {
        ready.append(name)
        continue
      }
      let share = try await PushData(scope: .revision(kept.commit), to: remote).run(in: repository, progress: progress)
      if share.failures.isEmpty { ready.append(name) }
      shares.append(share)
    }
    // Some at a time: a command line has an end.
    for start in stride(from: 0, to: ready.count, by: 500) {
      let some = ready[start..<min(ready.count, start + 500)]
      try GitCommandLine.run(
        ["push", "--quiet", "--", gitRemote] + some.map { "\(prefix)\($0):\(prefix)\($0)" }, in: repository)
    }
    return (ready, shares)
  }
}

/// Pulls experiments: their commits from git's remote, then their data.
public struct PullExperiments: Sendable {
  private let names: [String]
  private let gitRemote: String
  private let remote: String?
  private let fetchesData: Bool

  /// - Parameters:
  ///   - names: all if there is none.
  ///   - fetchesData: whether to fetch the data that they name into the local store.
  public init(_ names: [String], from gitRemote: String, data remote: String? = nil, fetchesData: Bool = true) {
    self.names = names
    self.gitRemote = gitRemote
    self.remote = remote
    self.fetchesData = fetchesData
  }

  /// Carries it out. One that is here under the same name and is another is left alone: git refuses it.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> (names: [String], shares: [ShareReport]) {
    let prefix = Experiment.referencePrefix
    for name in names where !Experiment.isName(name) {
      throw RepositoryError(.usage, "'\(name)' cannot name an experiment.")
    }
    let before = Dictionary(try repository.git.referenceTargets(prefix: prefix)) { first, _ in first }
    let wanted = names.isEmpty ? ["\(prefix)*:\(prefix)*"] : names.map { "\(prefix)\($0):\(prefix)\($0)" }
    try GitCommandLine.run(["fetch", "--quiet", "--no-tags", "--", gitRemote] + wanted, in: repository)
    let after = try repository.git.referenceTargets(prefix: prefix)
    let fresh = after.filter { before[$0.name] != $0.target || names.contains(String($0.name.dropFirst(prefix.count))) }
    var shares: [ShareReport] = []
    if fetchesData, !fresh.isEmpty, (try? repository.remote(remote)) != nil {
      for (_, target) in fresh where try !ShareRequest([], .revision(target.hex), in: repository).items.isEmpty {
        shares.append(try await FetchData(scope: .revision(target.hex), from: remote).run(in: repository, progress: progress))
      }
      try await fetchRecorded(by: fresh.map(\.target), in: repository, progress)
    }
    return (fresh.map { String($0.name.dropFirst(prefix.count)) }, shares)
  }
}

extension PullExperiments {
  /// Fetches code, environments, logs and details of the runs behind experiments. That a remote lacks some of it is no failure: the
  /// data is there.
  private func fetchRecorded(by commits: [GitObjectID], in repository: Repository, _ progress: ProgressSink) async throws {
    let local = try await repository.localStore(for: .write)
    var completeness = Completeness(of: local.store)
    var lacking: [TransferRoot] = []
    var seen: Set<ObjectID> = []
    for commit in commits {
      for (id, record) in try repository.git.records(in: commit) where seen.insert(id).inserted {
        guard let run = try? RunRecord(record) else { continue }
        let uncached = RunContents(record, run).outputs.filter { output in run.uncached.contains { $0.text == output.label } }
        for root in RunContents(record, run).others + uncached where try await !completeness.has(root) { lacking.append(root) }
      }
    }
    guard !lacking.isEmpty else { return }
    do {
      let source = try await repository.remoteStore(try repository.remote(remote), create: false)
      progress.begin("Fetching", totalBytes: 0, totalItems: 0)
      _ = try await Transfer(.fetch, from: source, to: local.store) { progress.count($0) }.run(lacking)
    } catch let error as RepositoryError where error.code == .missing {
      // Nothing was pushed there yet.
    }
  }
}

/// The user's git, for what talks to a server: it has the credentials.
enum GitCommandLine {
  static func run(_ arguments: [String], in repository: Repository) throws {
    let directory = repository.workDirectory ?? repository.git.gitDirectory
    _ = try ProgramOutput.of(["git", "-C", directory.string] + arguments, limit: 16 << 20)
  }
}
