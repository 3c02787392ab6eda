public import DVObject
import DVStore
public import DVWorkspace

/// Merges one pointer that two branches changed: what git's merge driver `dv` does.
///
///     ours and theirs equal but for the run    the lower run: both records stay
///     one side equals the base                 the other side
///     either side was made by a run            a conflict: no run made what a merge would put together
///     two trees                                merged file by file, see ``TreeMerge``
///     two files                                content and executable bit by themselves, else a conflict
///
/// Only tree nodes are needed, from the local store or the default remote, and the new ones go to the local store.
public struct MergePointers: Sendable {
  /// What comes of it.
  public enum Outcome: Hashable, Sendable {
    case merged(Pointer)
    case conflicted(Conflict)
  }

  /// Why there is no merged pointer.
  public enum Conflict: Hashable, Sendable {
    /// One side or both were made by a run.
    case run
    /// Both changed the file.
    case file
    /// A file on one side, a directory on the other.
    case kind
    /// Both changed the same paths of a directory: `count`, of which the first are listed.
    case paths([MergeConflict], count: Int)
    /// What both began with cannot be read, as after a merge of merges that conflicted.
    case base
  }

  /// What git gives for a side.
  public enum Base: Hashable, Sendable {
    /// Both sides added the pointer.
    case none
    case pointer(Pointer)
    /// There is something, and it is no pointer.
    case unreadable
  }

  private let base: Base
  private let ours: Pointer
  private let theirs: Pointer
  private let target: TreePath

  /// - Parameter target: What the paths of conflicts begin with.
  public init(base: Base, ours: Pointer, theirs: Pointer, target: TreePath) {
    self.base = base
    self.ours = ours
    self.theirs = theirs
    self.target = target
  }

  /// Merges.
  ///
  /// - Throws: ``RepositoryError/Code/missing`` if a tree that must be looked into is nowhere to be found.
  public func run(in repository: Repository) async throws -> Outcome {
    if let outcome = Self.withoutTrees(base: base, ours: ours, theirs: theirs) { return outcome }
    var root: ObjectID?
    if case .pointer(let pointer) = base, pointer.kind == .tree { root = pointer.oid }
    let reader = try repository.dataReader()
    let local = try await repository.localStore(for: .write)
    let writer = ObjectWriter(addingTo: local.store)
    let merge = TreeMerge(
      read: reader.nodes,
      emit: { id, bytes in try await writer.store(bytes, as: ObjectKey(kind: .treeNode, id: id)) })
    do throws(WorkspaceError) {
      switch try await merge.run(base: root, ours: ours.oid, theirs: theirs.oid, at: target) {
      case .conflicted(let conflicts, let count):
        return .conflicted(.paths(conflicts, count: count))
      case .merged(let oid, let totals):
        do throws(StoreError) { _ = try await writer.finish() } catch { throw WorkspaceError(error) }
        return .merged(Pointer(tree: oid, totals: totals))
      }
    } catch {
      guard error.code == .missing else { throw error }
      throw RepositoryError(
        .missing, "'\(target)' cannot be merged file by file: a tree of it is not in the local store, nor on a remote.",
        remedy: "Get both sides with 'dv fetch --all \(target)', then merge again.", cause: error)
    }
  }

  /// Decides as far as the pointers tell; `nil` if trees must be merged.
  static func withoutTrees(base: Base, ours: Pointer, theirs: Pointer) -> Outcome? {
    if ours.withoutRun == theirs.withoutRun {
      var merged = ours
      merged.run = [ours.run, theirs.run].compactMap(\.self).min()
      return .merged(merged)
    }
    if case .pointer(let base) = base {
      if ours.withoutRun == base.withoutRun { return .merged(theirs) }
      if theirs.withoutRun == base.withoutRun { return .merged(ours) }
    }
    if ours.run != nil || theirs.run != nil { return .conflicted(.run) }
    guard ours.kind == theirs.kind else { return .conflicted(.kind) }
    if base == .unreadable { return .conflicted(.base) }
    if ours.kind == .tree { return nil }
    return files(base: base, ours: ours, theirs: theirs)
  }

  private static func files(base: Base, ours: Pointer, theirs: Pointer) -> Outcome {
    guard case .pointer(let base) = base, base.kind == .file else { return .conflicted(.file) }
    let executable = ours.executable == base.executable ? theirs.executable : ours.executable
    let content: Pointer
    if ours.oid == theirs.oid || theirs.oid == base.oid {
      content = ours
    } else if ours.oid == base.oid {
      content = theirs
    } else {
      return .conflicted(.file)
    }
    return .merged(Pointer(file: content.oid, size: content.size, executable: executable))
  }
}
