import DVBackend
import DVFile
import DVObject
public import DVS3
public import DVStore

/// Looks at a remote: whether it can be reached, read and written, and whether its packs are what its index says.
public struct CheckRemote: Sendable {
  public struct Report: Sendable {
    public let remote: Remote
    /// Why it cannot be used at all; everything else is unknown then.
    public internal(set) var problem: RepositoryError?
    /// What is stored; `nil` if nothing was pushed yet.
    public internal(set) var inventory: StoreInventory?
    /// Whether this user may write.
    public internal(set) var isWritable = false
    /// By how many seconds its clock is ahead of this machine's; `nil` if it cannot be told without writing.
    public internal(set) var clockDifference: Int64?

    /// What the server of a bucket can do; `nil` if that was not tried.
    public internal(set) var capabilities: S3Capabilities?
    /// Uploads that somebody began more than a day ago and never ended, which were removed.
    public internal(set) var abandonedUploads = 0

    /// Whether all is well.
    public var isSound: Bool {
      guard problem == nil, let inventory else { return problem == nil }
      return inventory.packs.findings.isEmpty && inventory.incompleteRoots == 0
    }
  }

  private let name: String?

  /// - Parameter name: the remote; the default one if not given.
  public init(_ name: String? = nil) { self.name = name }

  /// Looks.
  ///
  /// - Throws: ``RepositoryError`` if there is no such remote; ``StoreError`` if its records or index are damaged.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    let remote = try repository.remote(name)
    var report = Report(remote: remote)
    progress.begin("Checking")
    do { try await look(at: remote, repository, &report) } catch let error as RepositoryError where error.code == .unreachable {
      report.problem = error
      return report
    } catch let error as BackendError where error.code != .corrupt {
      report.problem = RepositoryError(.unreachable, error.message, cause: error)
      return report
    }
    do {
      report.inventory = try await StoreInventory(of: try await repository.remoteStore(remote, create: false, asksAgain: true))
    } catch let error as RepositoryError where error.code == .missing {
      // Nothing was pushed yet.
    }
    return report
  }

  /// Looks whether the place can be reached and written to.
  private func look(at remote: Remote, _ repository: Repository, _ report: inout Report) async throws {
    let opening = try repository.opening(of: remote)
    let backend = try await opening.backend()
    if case .s3(let location) = remote.url {
      let look = try await RemoteLook(at: location, opening.bucket)
      (report.isWritable, report.capabilities) = (look.isWritable, look.capabilities)
      if look.isWritable, let bucket = backend as? S3Backend {
        report.abandonedUploads = try await bucket.removeAbandonedUploads(olderThan: 24 * 3600)
      }
    }
    do throws(BackendError) {
      let now = FileTime.now.seconds
      report.clockDifference = try await backend.clock() - now
      // On a directory that takes writing.
      if case .directory = remote.url { report.isWritable = true }
    } catch {
      guard error.code == .denied else { throw error }
    }
  }
}
