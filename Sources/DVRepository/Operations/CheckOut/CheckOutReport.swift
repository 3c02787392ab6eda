public import DVWorkspace

/// What a checkout of several targets did.
public struct CheckOutReport: Sendable {
  /// One target that changed on disk.
  public struct Item: Sendable {
    public let path: TreePath
    /// How many files and links were written.
    public let filesWritten: Int
    /// How many bytes they have.
    public let bytesWritten: UInt64
    /// How many files and links were removed.
    public let filesRemoved: Int
  }

  /// Data whose pointer went with another branch and that stays all the same.
  public struct Kept: Sendable {
    public let path: TreePath
    /// What of it is not in any version that dv knows.
    public let reason: String
  }

  /// Targets that changed on disk.
  public internal(set) var items: [Item] = []
  /// How many targets were as they should be.
  public internal(set) var unchanged = 0
  /// Targets in which changes of the user's stay: modified files, or files that were never added.
  public internal(set) var changed: [TreePath] = []
  /// Data that was removed because its pointer went with another branch.
  public internal(set) var removed: [TreePath] = []
  public internal(set) var kept: [Kept] = []
  /// What could not be delivered, and why; all else was.
  public internal(set) var failures: [CheckoutFailure] = []

  /// Says of what was erased that it was, not that it is missing.
  mutating func explainFailures(by erasures: Erasures) {
    failures = failures.map { failure in
      guard failure.error.code == .missing, let (_, item) = erasures.explanation(of: failure.error) else { return failure }
      return CheckoutFailure(
        path: failure.path,
        error: WorkspaceError(.missing, "'\(failure.path)' was \(item.text).", paths: [failure.path], cause: ErasedContent(item: item)))
    }
  }
}
