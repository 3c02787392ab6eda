import DVBackend
import DVFile
public import DVStore

/// Frees what no push to a remote needs any more: see ``RemoteCollection``.
///
/// What one clone can reach says nothing of what others need, so it is not asked. To make a remote need less, roots are
/// retired: see ``RetireRoots``.
public struct CollectRemoteGarbage: Sendable {
  public struct Report: Sendable {
    public let remote: Remote
    public let collection: RemoteCollectionReport
    public let grace: GracePeriod
    /// Files that killed processes left in a directory, removed.
    public internal(set) var abandonedFiles = 0
    public let isDryRun: Bool
  }

  private let remote: String?
  private let isDryRun: Bool

  /// - Parameter remote: the remote's name; the default one if not given.
  public init(_ remote: String? = nil, isDryRun: Bool = false) {
    self.remote = remote
    self.isDryRun = isDryRun
  }

  /// Carries it out.
  ///
  /// - Throws: ``StoreError`` if anything cannot be read, is damaged or is not understood; then nothing was removed.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    let remote = try repository.remote(remote)
    let grace = try repository.remoteGrace()
    progress.begin("Looking")
    let store = try await repository.remoteStore(remote, create: false)
    store.regardAsErased(try repository.erasures().oids)
    let local = try? await repository.localStore(for: .read)
    progress.begin("Collecting")
    let collection = try await RemoteCollection(
      of: store, readingFrom: local?.store, grace: grace.seconds, localTime: FileTime.now.seconds, dryRun: isDryRun
    ).run()
    var report = Report(remote: remote, collection: collection, grace: grace, isDryRun: isDryRun)
    if !isDryRun, let directory = store.backend as? DirectoryBackend {
      report.abandonedFiles = try await directory.removeAbandonedFiles(olderThan: Int64(clamping: max(grace.seconds, 86_400)))
    }
    return report
  }
}

extension Repository {
  /// How long garbage collection of remotes waits: `gc.remoteGrace`, at least a day.
  ///
  /// Tests shorten it by the environment variable `DV_TEST_REMOTE_GRACE`, in seconds: never set it for a remote that
  /// somebody needs.
  func remoteGrace() throws -> GracePeriod {
    if let text = environment("DV_TEST_REMOTE_GRACE"), let seconds = UInt64(text) { return GracePeriod(seconds: seconds) }
    guard let text = try configuration.string("gc.remoteGrace") else { return .standard }
    guard let grace = GracePeriod(text), grace.seconds >= UInt64(RemoteCollection.shortestGrace) else {
      throw RepositoryError(
        .usage, "gc.remoteGrace is '\(text)'.",
        remedy: "Give a number of days, or a number with w, d or h, of a day at least: '7', '36h'. A push may take that long.")
    }
    return grace
  }
}
