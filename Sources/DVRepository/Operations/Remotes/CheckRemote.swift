import DVBackend
import DVFile
import DVObject
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
    let backend: DirectoryBackend
    do { backend = try repository.backend(of: remote) } catch let error as RepositoryError {
      report.problem = error
      return report
    }
    do throws(BackendError) {
      let now = FileTime.now.seconds
      report.clockDifference = try await backend.clock() - now
      report.isWritable = true
    } catch {
      guard error.code == .denied else { throw error }
    }
    do {
      report.inventory = try await StoreInventory(of: try await repository.remoteStore(remote, create: false))
    } catch let error as RepositoryError where error.code == .missing {
      // Nothing was pushed yet.
    }
    return report
  }
}
