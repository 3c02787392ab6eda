import DVFile
import DVObject
import DVStore
public import DVWorkspace

/// Makes the working tree what its pointers say.
///
/// All targets are planned before anything is changed, so that a conflict in one of them changes nothing. Then each is
/// delivered as far as the store has it; what is missing or damaged is in the report by path.
public struct CheckOutData: Sendable {
  private let paths: [TreePath]
  private let isForced: Bool

  /// - Parameters:
  ///   - paths: what to check out, relative to the working tree's root, also parts of tracked directories; nothing for
  ///     all, and then data whose pointer went with another branch is removed too.
  ///   - isForced: whether the user's changes may be overwritten.
  public init(_ paths: [TreePath] = [], isForced: Bool = false) {
    self.paths = paths
    self.isForced = isForced
  }

  /// Carries it out.
  ///
  /// - Throws: ``WorkspaceError`` with code `conflict`, listing all paths, if work would be lost; nothing is changed then.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> CheckOutReport {
    try await run(in: repository, prepared: [:], progress: progress)
  }

  /// Carries it out with contents that were written and proved before, by target.
  func run(
    in repository: Repository, prepared: [TreePath: PreparedFiles], progress: ProgressSink
  ) async throws -> CheckOutReport {
    let selection = try repository.select(paths)
    var session = CheckOutSession(
      repository: repository, isForced: isForced, store: LazyStore(try repository.storePlace()),
      prepared: prepared, progress: progress)
    progress.begin("Comparing")
    for pointer in selection.unreadable { session.fail(pointer) }
    for item in selection.merged { try await session.plan(item) }
    try session.requireNoConflicts()
    if paths.isEmpty { try await session.removeVanished() }
    try await session.carryOut()
    if !session.report.failures.isEmpty { session.report.explainFailures(by: try repository.erasures()) }
    return session.report
  }
}

extension Selection {
  /// The items without parts of what is selected as a whole, and without repetitions.
  fileprivate var merged: [Item] {
    let whole = Set(items.filter(\.inside.isRoot).map(\.data.target))
    var seen: Set<Item> = []
    return items.filter { item in
      guard item.inside.isRoot || !whole.contains(item.data.target) else { return false }
      return seen.insert(item).inserted
    }
  }
}
