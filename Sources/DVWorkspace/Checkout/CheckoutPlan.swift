public import DVObject

/// What a checkout would do to a target, and which of the user's changes would be lost. A value: making it changes nothing.
public struct CheckoutPlan: Sendable {
  /// What happens to one entry of the version that is wanted.
  public enum Action: UInt8, Hashable, Sendable {
    /// It is there already.
    case keep
    /// The user changed it, and between the versions nothing changed there: the user's change stays.
    case keepModified
    /// Nothing is there.
    case create
    /// The unmodified content of another version is there.
    case replace
    /// Only the executable bit differs.
    case setMode
  }

  /// Work that would be lost.
  public struct Conflict: Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
      /// Changed since it was added or checked out.
      case modified
      /// Never added, and the version has something else of that name.
      case untracked
    }

    /// Relative to the working tree's root.
    public let path: TreePath
    public let reason: Reason
  }

  /// Something to be removed; files before the directories they are in.
  struct Removal: Hashable, Sendable {
    /// Relative to the target.
    let path: TreePath
    let isDirectory: Bool
    /// The file as it was seen, `nil` for a directory. Another file is not removed.
    let inode: UInt64
    let size: UInt64
    let modified: Int64
    let changed: Int64
  }

  /// The target, relative to the working tree's root.
  public let target: TreePath
  public let pointer: Pointer
  /// All that will be there afterwards and is known.
  var wanted = TreeState()
  /// What happens to each entry of ``wanted``.
  var actions: [Action] = []
  var removals: [Removal] = []
  /// Identities of the files that are replaced.
  var replaced: [Int: StatEntry] = [:]
  /// Entries of which something else was saved than is on disk.
  var bases: [Int: SavedContent] = [:]
  /// Whether anything is at the target now, so that it is changed in place.
  var exists = false
  /// Whether what is at the target is of the other kind (a file for a directory) and goes first.
  var replacesRoot = false
  /// Whether all of the version is wanted, not only a part.
  var isWhole = true
  /// The version that was last added or checked out, for a partial checkout.
  var saved: ObjectID?
  /// Left by a run that was killed, relative to the target.
  var leftovers: [TreePath] = []
  /// Work that would be lost, in the order of the tree; a plan with any is carried out only by force, which is decided
  /// when the plan is made.
  public internal(set) var conflicts: [Conflict] = []
  /// Files that are in the target and not in the version, and stay: how many.
  public internal(set) var untrackedCount = 0

  init(target: TreePath, pointer: Pointer) {
    self.target = target
    self.pointer = pointer
  }

  /// How many files and links will be written.
  public var writeCount: Int { actions.indices.count { isWritten($0) } }

  /// How many bytes they have.
  public var writeBytes: UInt64 {
    actions.indices.clampedSum { isWritten($0) ? wanted.entries[$0].size : 0 }
  }

  /// How many of the user's changes stay because between the versions nothing changed there.
  public var keptCount: Int { actions.count { $0 == .keepModified } }

  /// How many files and links will be removed.
  public var removalCount: Int { removals.count { !$0.isDirectory } }

  /// Whether there is nothing to do.
  public var isEmpty: Bool {
    removals.isEmpty && !replacesRoot && exists && actions.allSatisfy { $0 == .keep || $0 == .keepModified }
  }

  /// Calls `body` with each path that will change and what happens there, then with each that will go (`nil`).
  public func forEachChange(_ body: (TreePath, Action?) -> Void) {
    if wanted.isDirectory {
      for number in wanted.directories.indices {
        for index in wanted.directories[number].entries where actions[index] != .keep && actions[index] != .keepModified {
          body(target.appending(wanted.path(ofEntry: index, in: number)), actions[index])
        }
      }
    } else if let action = actions.first, action != .keep, action != .keepModified {
      body(target, action)
    }
    for removal in removals { body(target.appending(removal.path), nil) }
  }

  /// Throws if work would be lost, listing the paths.
  public func requireNoConflicts() throws(WorkspaceError) {
    guard !conflicts.isEmpty else { return }
    let shown = conflicts.prefix(20).map { conflict in
      "  \(conflict.path) (\(conflict.reason == .modified ? "modified" : "not tracked"))"
    }
    let more = conflicts.count > 20 ? "\n  … and \(conflicts.count - 20) more" : ""
    throw WorkspaceError(
      .conflict,
      """
      Checking out '\(target)' would lose work in:
      \(shown.joined(separator: "\n"))\(more)
      Add it ('dv add'), move it away, or overwrite it with 'dv checkout --force'.
      """, paths: conflicts.map(\.path))
  }

  private func isWritten(_ index: Int) -> Bool {
    !wanted.entries[index].isDirectory && (actions[index] == .create || actions[index] == .replace)
  }
}
