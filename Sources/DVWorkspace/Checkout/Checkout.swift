import DVFile
import DVObject
public import DVStore
import SystemPackage

/// What a checkout did.
public struct CheckoutReport: Sendable {
  /// What to keep for the next time.
  public let cache: StatCache
  /// How many files and links were written.
  public let filesWritten: Int
  /// How many bytes they have.
  public let bytesWritten: UInt64
  /// How many files and links were removed.
  public let filesRemoved: Int
  /// What could not be delivered, in the order of the tree; all else was.
  public let failures: [CheckoutFailure]
}

/// One path that could not be delivered, and why.
public struct CheckoutFailure: Sendable {
  /// Relative to the working tree's root.
  public let path: TreePath
  public let error: WorkspaceError

  public init(path: TreePath, error: WorkspaceError) {
    self.path = path
    self.error = error
  }
}

/// Carries out a plan.
///
/// A target of which nothing is there is built under a temporary name beside it and renamed once. In a target that is
/// there, each file is written beside its place and renamed, some hundred megabytes at a time:
///
///     write contents under temporary names, each proved by its SHA-256
///     wait until the clock of the file system has moved on
///     rename each into place, unless what is in its place changed since the plan was made
///
/// The pause makes the new identities trustworthy (see `docs/racy.md`). Whenever it is killed, the next run finds whole
/// files only and completes the rest. Files need not survive a crash of the machine: the store has them, and a file that
/// a crash shortened does not have the identity that the cache knows.
public struct Checkout: Sendable {
  private let scan: TreeScan
  private let store: ObjectStore
  private let isForced: Bool
  private let prepared: PreparedFiles?
  private let progress: @Sendable (_ files: Int, _ bytes: UInt64) -> Void

  /// - Parameters:
  ///   - scan: The scan of the target that the plan was made from.
  ///   - isForced: Whether files may be overwritten that changed since the plan was made.
  ///   - prepared: Contents that were written and proved beforehand.
  ///   - progress: Called, from many tasks, with the files and bytes written since its last call.
  public init(
    of scan: TreeScan, from store: ObjectStore, isForced: Bool = false, prepared: PreparedFiles? = nil,
    progress: @escaping @Sendable (_ files: Int, _ bytes: UInt64) -> Void = { _, _ in }
  ) {
    self.scan = scan
    self.store = store
    self.isForced = isForced
    self.prepared = prepared
    self.progress = progress
  }

  /// The name under which a target is built, the same in each run, so that the next run finds what a killed one left.
  static func temporaryName(for name: [UInt8]) -> [UInt8] {
    Array(".dv-\(ObjectID(hashing: name.span).hex.prefix(22)).tmp".utf8)
  }

  /// Does what the plan says.
  ///
  /// - Throws: ``WorkspaceError`` with code `conflict` if the plan has conflicts, `collision` if the file system folds
  ///   two names of the version into one, `noSpace`, `denied`. What of single files could not be delivered is in the
  ///   report instead.
  public func run(_ plan: CheckoutPlan) async throws(WorkspaceError) -> CheckoutReport {
    if !isForced { try plan.requireNoConflicts() }
    do {
      let parent = OpenDirectory(try DirectoryHandle(scan.location.containingDirectory, followingLink: true))
      let name = scan.location.lastComponentBytes
      let temporary = Self.temporaryName(for: name)
      let beside = scan.location.containingDirectory.appending(name: temporary)
      try beside.removeTree()
      if prepared == nil { try PreparedFiles.directory(for: scan.location).removeTree() }
      var work = CheckoutWork(
        plan: plan, scan: scan, store: store, isForced: isForced, prepared: prepared, progress: progress)
      if plan.wanted.isDirectory && (!plan.exists || plan.replacesRoot) {
        try parent.handle.makeDirectory(name: temporary)
        try await work.writeTree(into: OpenDirectory(try parent.handle.openDirectory(name: temporary)))
        if plan.replacesRoot { try work.remove(from: parent, root: name) }
        try beside.renameNoReplace(to: scan.location)
      } else if plan.wanted.isDirectory {
        try await work.update(OpenDirectory(try parent.handle.openDirectory(name: name)))
      } else {
        if plan.replacesRoot { try work.remove(from: parent, root: name) }
        try await work.writeFile(name, in: parent)
      }
      return try work.report(rules: scan.rules.digest)
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }
}

extension FilePath {
  /// The bytes of the last name.
  var lastComponentBytes: [UInt8] {
    let bytes = rawBytes
    return Array(bytes[(bytes.lastIndex(of: .slash).map { $0 + 1 } ?? 0)...])
  }
}
