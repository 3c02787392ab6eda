public import DVWorkspace

/// How the working tree differs from its pointers, and what is not yet where it should be.
public struct StatusReport: Sendable {
  /// What is to be said of one path.
  public enum State: String, Hashable, Sendable {
    /// Other content or another mode.
    case modified
    /// In the version, not on disk: the whole target. The local store has it.
    case missing
    /// In the directory, not in the version.
    case untrackedInside = "untracked-inside"
    /// In the version, not in the directory.
    case deletedInside = "deleted-inside"
    /// Neither on disk nor in the local store.
    case absentLocally = "absent-locally"
    /// Here, and not known to be on the default remote; if the remote was asked, not on it.
    case unpushed
    /// A push made it complete on the remote that was asked, and part of it is gone from there or cut short.
    case damagedOnRemote = "damaged-on-remote"
    /// The pointer is in a conflict of a merge.
    case conflicted
    /// The pointer cannot be read.
    case unreadable
    /// On disk, and nothing that can be tracked.
    case unsupported
  }

  public struct Entry: Hashable, Sendable {
    /// Relative to the working tree's root.
    public let path: TreePath
    public let state: State
    /// What is wrong, for a state that does not say it.
    public let message: String?

    init(_ path: TreePath, _ state: State, message: String? = nil) {
      self.path = path
      self.state = state
      self.message = message
    }
  }

  /// By target, and in the order of each tree.
  public internal(set) var entries: [Entry] = []
  /// How many targets were looked at.
  public internal(set) var targets = 0
  /// The name of the remote that was asked, or of the default one, if there is one.
  public internal(set) var remote: String?
  /// Whether the remote was asked, rather than what this clone knows of it.
  public internal(set) var askedRemote = false

  /// Whether the working tree is what its pointers say. What a remote lacks is no difference.
  public var isClean: Bool { entries.allSatisfy { $0.state == .unpushed || $0.state == .damagedOnRemote } }

  /// Whether something that was pushed is not whole on the remote any more.
  public var isDamagedOnRemote: Bool { entries.contains { $0.state == .damagedOnRemote } }
}

extension StatusReport.State {
  init(_ state: TargetStatus.State) {
    self =
      switch state {
      case .modified: .modified
      case .missing: .missing
      case .untrackedInside: .untrackedInside
      case .deletedInside: .deletedInside
      case .absentLocally: .absentLocally
      }
  }
}
