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
      return TargetStatus(
        entries: try await inside(target, from: pointer.oid, to: there.oid, reader: disk.reader(over: read), read: read))
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }

  /// Returns the states of what is inside a directory.
  private static func inside(
    _ target: TreePath, from old: ObjectID, to new: ObjectID, reader: @escaping NodeReader, read: @escaping NodeReader
  ) async throws -> [Entry] {
    var changes: [TreeChange] = []
    do {
      try await TreeDifference(readOld: read, readNew: reader).run(from: old, to: new, at: target) {
        changes.append($0)
      }
    } catch {
      // Without the version's nodes it is only known that something differs.
      guard WorkspaceError(wrapping: error).code == .missing else { throw error }
      return [Entry(path: target, state: .modified), Entry(path: target, state: .absentLocally)]
    }
    return changes.map { Entry(path: $0.path, state: State($0.kind)) }
  }
}

extension TargetStatus.State {
  fileprivate init(_ kind: TreeChange.Kind) {
    self =
      switch kind {
      case .added: .untrackedInside
      case .removed: .deletedInside
      case .modified, .mode, .type, .renamed: .modified
      }
  }
}
