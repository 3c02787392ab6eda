public import DVObject

/// How a target differs from its pointer.
public struct TargetStatus: Hashable, Sendable {
  public enum State: String, Hashable, Sendable {
    /// Other content or another mode.
    case modified
    /// In the version, not on disk: the whole target.
    case missing
    /// In the directory, not in the version.
    case untrackedInside = "untracked-inside"
    /// In the version, not in the directory.
    case deletedInside = "deleted-inside"
    /// Neither on disk nor in the local store.
    case absentLocally = "absent-locally"
  }

  public struct Entry: Hashable, Sendable {
    /// Relative to the working tree's root.
    public let path: TreePath
    public let state: State
  }

  /// In the order of the tree; empty if nothing differs.
  public let entries: [Entry]

  /// Whether nothing differs.
  public var isClean: Bool { entries.isEmpty }

  /// Compares.
  ///
  /// - Parameters:
  ///   - target: Relative to the working tree's root.
  ///   - disk: What is on disk, hashed; `nil` if nothing is.
  ///   - isStored: Whether the local store holds an object: of a file its content, of a tree its root node.
  ///   - read: Reads tree nodes of the version.
  /// - Throws: ``WorkspaceError``. A version whose nodes are not in the store is a state and not an error.
  public static func of(
    _ target: TreePath, pointer: Pointer, disk: IngestResult?,
    isStored: @Sendable (Pointer) async throws -> Bool, read: @escaping NodeReader
  ) async throws(WorkspaceError) -> TargetStatus {
    do {
      guard let disk else {
        let state: State = try await isStored(pointer) ? .missing : .absentLocally
        return TargetStatus(entries: [Entry(path: target, state: state)])
      }
      guard let there = disk.pointer, there.kind == pointer.kind else {
        return TargetStatus(entries: [Entry(path: target, state: .modified)])
      }
      if there.withoutRun == pointer.withoutRun { return TargetStatus(entries: []) }
      guard pointer.kind == .tree else {
        return TargetStatus(entries: [Entry(path: target, state: .modified)])
      }
      var entries: [Entry] = []
      do {
        let difference = TreeDifference(readOld: read, readNew: disk.reader(over: read))
        try await difference.run(from: pointer.oid, to: there.oid, at: target) { change in
          let state: State =
            switch change.kind {
            case .added: .untrackedInside
            case .removed: .deletedInside
            default: .modified
            }
          entries.append(Entry(path: change.path, state: state))
        }
      } catch let error where error.code == .missing {
        // Without the version's nodes it is only known that something differs.
        entries = [Entry(path: target, state: .modified), Entry(path: target, state: .absentLocally)]
      }
      return TargetStatus(entries: entries)
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }
}
