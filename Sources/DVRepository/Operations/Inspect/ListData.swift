public import DVObject
public import DVWorkspace

/// Lists tracked data at a revision, whether it is checked out or not: the operation behind `dv ls`.
public struct ListData: Sendable {
  /// One name that is listed.
  public struct Entry: Hashable, Sendable {
    /// Relative to the directory that is listed; the last name of a file that was asked for itself.
    public let path: TreePath
    public let mode: EntryMode
    public let oid: ObjectID
    /// Bytes; of a directory, of all files below.
    public let size: UInt64
    /// 1, or the files below a directory.
    public let files: UInt64
    /// Whether this is a target: a pointer's own file or directory.
    public let isTarget: Bool
  }

  private let location: Location
  private let isRecursive: Bool

  /// - Parameter isRecursive: Whether directories below are listed too.
  public init(_ location: Location, isRecursive: Bool = false) {
    self.location = location
    self.isRecursive = isRecursive
  }

  /// Calls `body` with each entry, in order.
  ///
  /// - Returns: pointers that could not be read.
  /// - Throws: ``RepositoryError/Code/usage`` if nothing is tracked there, `missing` if the tree is neither here nor on
  ///   the remote.
  public func run(
    in repository: Repository, _ body: (Entry) throws -> Void
  ) async throws -> [UnreadablePointer] {
    let selection = try repository.data(at: location)
    let reader = try repository.dataReader()
    let browser = TreeBrowser(read: reader.nodes)
    for item in selection.items {
      try await explainingAbsence(of: item, at: location, in: repository) {
        try await list(item, browser, body)
      }
    }
    return selection.unreadable
  }

  private func list(
    _ item: Selection.Item, _ browser: TreeBrowser, _ body: (Entry) throws -> Void
  ) async throws {
    let data = item.data
    let isRecursive = isRecursive
    func contents(of root: ObjectID, at path: TreePath) async throws {
      try await browser.forEachEntry(of: root, at: path, entering: { _, _ in isRecursive }) { path, entry in
        try body(
          Entry(
            path: path, mode: entry.mode, oid: entry.oid, size: entry.size, files: entry.files, isTarget: false))
      }
    }
    let isAsked = location.path.relative(to: data.target) != nil || location.path == data.pointerPath
    guard item.inside.isRoot else {
      let entry = try await item.entry(browser, at: location)
      if entry.mode == .directory { return try await contents(of: entry.oid, at: .root) }
      return try body(
        Entry(
          path: TreePath(item.inside.lastName) ?? item.inside, mode: entry.mode, oid: entry.oid, size: entry.size,
          files: 1, isTarget: false))
    }
    if isAsked, data.pointer.kind == .tree { return try await contents(of: data.pointer.oid, at: .root) }
    let path = isAsked ? TreePath(data.target.lastName) : data.target.relative(to: location.path)
    let shown = path ?? data.target
    try body(
      Entry(
        path: shown, mode: data.pointer.mode, oid: data.pointer.oid, size: data.pointer.size,
        files: data.pointer.files ?? 1, isTarget: true))
    if isRecursive, data.pointer.kind == .tree { try await contents(of: data.pointer.oid, at: shown) }
  }
}

extension Pointer {
  /// What the pointer stands for, as an entry of a tree.
  var mode: EntryMode { kind == .tree ? .directory : executable ? .executable : .file }
}

extension Selection.Item {
  /// Returns what is meant inside a tracked directory.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if the version has nothing there.
  func entry(_ browser: TreeBrowser, at location: Location) async throws -> TreeEntry {
    if data.pointer.kind == .tree, let entry = try await browser.entry(at: inside, in: data.pointer.oid) {
      return entry
    }
    let version = location.revision.map { " at '\($0)'" } ?? ""
    throw RepositoryError(
      .usage, "'\(data.target)'\(version) has no '\(inside)'.",
      remedy: "'dv ls \(location.revision.map { "\($0):" } ?? "")\(data.target)' lists what it has.")
  }
}

/// Runs `body`; of data that is neither here nor on the remote it says how to get it.
func explainingAbsence(
  of item: Selection.Item, at location: Location, in repository: Repository, _ body: () async throws -> Void
) async throws {
  do { try await body() } catch {
    let failure = WorkspaceError(wrapping: error)
    // What a remote said for itself is not to be hidden behind what was done at the time.
    if let cause = failure.cause as? RepositoryError { throw cause }
    guard failure.code == .missing else { throw error }
    if let (_, erasure) = try repository.erasures().explanation(of: failure) {
      throw RepositoryError(.missing, "'\(item.data.target.appending(item.inside))' was \(erasure.text).", cause: ErasedContent(item: erasure))
    }
    // Of another repository, the remote may be one that cannot be found from here: that is why nothing was asked.
    if repository.elsewhere != nil { _ = try repository.remote(nil) }
    throw RepositoryError(
      .missing,
      "'\(item.data.target.appending(item.inside))' is not in the local store, nor on a remote that was asked.",
      remedy: Fetching.remedy(for: item.data.target, at: location.revision), cause: error)
  }
}

/// How data gets here.
enum Fetching {
  /// Returns the advice for data that is not held locally.
  static func remedy(for target: TreePath, at revision: String?) -> String {
    "Get it with 'dv fetch \(revision.map { "--rev \($0) " } ?? "")\(target)'."
  }
}
