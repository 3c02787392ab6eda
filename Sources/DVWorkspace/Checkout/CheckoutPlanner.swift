public import DVObject

/// Decides what a checkout does, by comparing the wanted version with what is on disk.
///
/// A directory whose oid is that of the disk is taken over without reading its nodes. Otherwise, for each name:
///
///     on disk                         wanted              then
///     nothing                         something           create
///     the same                        the same            keep
///     saved, unmodified               something else      replace
///     saved, unmodified               nothing             remove
///     modified by the user            as it was saved     keep the modification
///     modified by the user            anything else       conflict, or overwrite by force
///     never saved                     something else      conflict, or overwrite by force
///     never saved                     nothing             leave alone
///
/// Without a cache nothing is known to be saved. A file whose content the store holds is then replaced, since nothing is
/// lost; nothing is removed.
public struct CheckoutPlanner: Sendable {
  private let target: TreePath
  private let read: NodeReader
  private let isStored: @Sendable (ObjectID) async throws -> Bool
  private let isForced: Bool

  /// - Parameters:
  ///   - target: Relative to the working tree's root.
  ///   - isForced: Whether the user's changes may be overwritten.
  ///   - read: Reads the tree nodes of the wanted version.
  ///   - isStored: Whether the store holds the content of a file.
  public init(
    target: TreePath, isForced: Bool = false, read: @escaping NodeReader,
    isStored: @escaping @Sendable (ObjectID) async throws -> Bool
  ) {
    self.target = target
    self.isForced = isForced
    self.read = read
    self.isStored = isStored
  }

  /// Makes the plan.
  ///
  /// - Parameters:
  ///   - pointer: The version that is wanted.
  ///   - path: Which part of it, relative to the target; the root for all.
  ///   - disk: What is on disk, hashed; `nil` if nothing is.
  ///   - cache: The cache, for what was last saved.
  ///   - leftovers: What the scan found of runs that were killed.
  /// - Throws: ``WorkspaceError`` with code `missing` or `corrupt` if the tree cannot be read, `notFound` if the version
  ///   has nothing at `path`.
  public func plan(
    _ pointer: Pointer, only path: TreePath = .root, disk: IngestResult?, cache: StatCache?, leftovers: [TreePath] = []
  ) async throws(WorkspaceError) -> CheckoutPlan {
    var plan = CheckoutPlan(target: target, pointer: pointer)
    plan.exists = disk != nil
    plan.isWhole = path.isRoot
    plan.saved = cache?.saved
    plan.leftovers = leftovers
    do {
      var merge = CheckoutMerge(
        plan: plan, disk: disk?.state, bases: disk?.bases ?? [:], hasBaseline: cache?.saved != nil, isForced: isForced,
        read: read, isStored: isStored)
      if pointer.kind == .file { try await merge.file(pointer) } else { try await merge.tree(pointer, only: path) }
      merge.plan.conflicts.sort { $0.path < $1.path }
      return merge.plan
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }
}
