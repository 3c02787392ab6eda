public import DVWorkspace

/// Brings data from a remote and checks it out: a fetch, then a checkout. Large files that are new are brought into the store
/// and written beside their targets in one pass, and moved into place by the checkout.
public struct PullData: Sendable {
  public struct Report: Sendable {
    public let fetched: ShareReport
    public let checkedOut: CheckOutReport
  }

  private let fetch: FetchData
  private let checkOut: CheckOutData
  private let width: Int?
  /// Whether what is fetched is what is checked out.
  private let isOfWorkingTree: Bool

  /// - Parameters: as of ``FetchData`` and ``CheckOutData``. With another scope than the working tree's, that is fetched
  ///   besides; what is checked out are the working tree's pointers in any case.
  public init(
    _ paths: [TreePath] = [], scope: ShareScope = .workingTree, from remote: String? = nil, width: Int? = nil,
    isForced: Bool = false
  ) {
    fetch = FetchData(paths, scope: scope, includesWorkingTree: true, from: remote, width: width)
    self.width = width
    isOfWorkingTree = scope == .workingTree
    checkOut = CheckOutData(scope == .workingTree ? paths : [], isForced: isForced)
  }

  /// Carries it out. What could not be fetched keeps nothing else from being checked out.
  ///
  /// - Throws: ``WorkspaceError`` with code `conflict` if work would be lost: what was fetched stays in the store.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    var large = LargeFilePull(of: repository, width: width)
    defer { large.removeRest() }
    let fetched = try await fetch.run(in: repository, progress: progress) { lacking, source, local in
      guard isOfWorkingTree else { return nil }
      return try await large.run(lacking, from: source, to: local, progress: progress)
    }
    let checkedOut = try await checkOut.run(in: repository, prepared: large.prepared, progress: progress)
    return Report(fetched: fetched, checkedOut: checkedOut)
  }
}
