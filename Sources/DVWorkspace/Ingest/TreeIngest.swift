import DVFile
public import DVObject
public import DVStore

/// Turns what a scan found into a version: hashes what must be read, stores it, and builds the tree.
///
/// Without a writer nothing is stored: that is how `status` and `hash` learn the oid of what is on disk.
///
///     for each file the cache does not vouch for: read, hash, store     small ones in batches on all cores
///     for each directory, the deepest first: build its nodes, store them  unless it is unchanged
public struct TreeIngest: Sendable {
  /// How often a file that changes while it is read is read again.
  static let attempts = 3

  private let scan: TreeScan
  private let content: ContentIngest
  private let progress: @Sendable (_ files: Int, _ bytes: UInt64) -> Void

  /// - Parameters:
  ///   - scan: The scan whose results are to be ingested.
  ///   - writer: Where to store contents and nodes; `nil` to hash only.
  ///   - progress: Called, from many tasks, with the files and bytes handled since its last call.
  public init(
    of scan: TreeScan, writer: ObjectWriter?,
    progress: @escaping @Sendable (_ files: Int, _ bytes: UInt64) -> Void = { _, _ in }
  ) {
    self.scan = scan
    content = ContentIngest(writer: writer)
    self.progress = progress
  }

  /// Ingests all that was found.
  ///
  /// - Parameters:
  ///   - result: What the scan found. Its problems, if there are any, are thrown if there is a writer, else left out.
  ///   - previous: The target's pointer, if it has one. What the cache calls saved is believed to be in the store if it
  ///     is this version, which gc keeps; otherwise the store is asked for each file.
  ///   - cache: The cache the scan was given.
  /// - Throws: ``WorkspaceError`` with code `unsupported`, `changed`, `denied` and so on, naming the path.
  public func run(
    _ result: ScanResult, previous: Pointer? = nil, cache: StatCache? = nil
  ) async throws(WorkspaceError) -> IngestResult {
    if content.writer != nil { try result.problems.requireNone() }
    do {
      var work = IngestWork(state: result.state, trust: TrustRule(start: result.start))
      if let writer = content.writer {
        let isVersion = previous != nil && previous?.oid == cache?.saved
        try await forgetAbsent(from: writer.store, believingSaved: isVersion, &work)
      }
      try await hash(work.pending(below: nil), &work)
      if content.writer != nil { work.markSaved() }
      let built = try await build(&work.state)
      return IngestResult(
        work: work, built: built, rules: result.rules, saved: content.writer == nil ? cache?.saved : work.state.oid)
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }

  /// Ingests what was found at `path` and puts it into the tree of `pointer` in place of what that has there.
  ///
  /// Everything else is taken from the pointer, whatever is on disk.
  ///
  /// - Parameter path: Relative to the target, not its root.
  /// - Throws: ``WorkspaceError`` as ``run(_:previous:cache:)``.
  public func run(
    _ result: ScanResult, only path: TreePath, of pointer: Pointer, cache: StatCache?, read: @escaping NodeReader
  ) async throws(WorkspaceError) -> IngestResult {
    let full = scan.target.appending(path)
    if content.writer != nil { try result.problems.filter { $0.path.relative(to: full) != nil }.requireNone() }
    do {
      var work = IngestWork(state: result.state, trust: TrustRule(start: result.start))
      if let writer = content.writer {
        try await forgetAbsent(from: writer.store, believingSaved: pointer.oid == cache?.saved, &work)
      }
      try await hash(work.pending(below: path), &work)
      if content.writer != nil { work.markSaved(below: path) }
      let built = try await build(&work.state)
      let made: Pointer
      // Usually all else is what the pointer names, and then what is on disk is what is asked for.
      if let cache, cache.state.oid == pointer.oid, let onDisk = work.state.pointer, work.state.equals(cache.state, exceptAt: path) {
        made = onDisk
      } else {
        let replacement = try work.state.item(at: path)
        let editor = TreeEditor(read: read, emit: { id, bytes in try await self.store(id, bytes) })
        let root = try await editor.replacing(path, in: pointer.oid, with: replacement)
        made = Pointer(tree: root.oid, totals: root.totals)
      }
      var outcome = IngestResult(
        work: work, built: built, rules: result.rules, saved: content.writer == nil ? cache?.saved : made.oid)
      outcome.pointer = made
      return outcome
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }

  // MARK: - Files

  /// Marks as unread what the cache vouches for but the store does not hold, and as not built the trees that it does not hold.
  ///
  /// What was only hashed, as by `status`, was never stored here; it may be in the store all the same.
  ///
  /// - Parameter believingSaved: Whether what was added or checked out is in the store without asking.
  private func forgetAbsent(from store: ObjectStore, believingSaved: Bool, _ work: inout IngestWork) async throws {
    let known = work.state.entries.indices.filter {
      let entry = work.state.entries[$0]
      return !entry.isDirectory && entry.flags.contains(.hashed) && entry.size > 0
        && !(believingSaved && entry.flags.contains(.saved))
    }
    let entries = work.state.entries
    work.forget(try await absent(known) { try await store.containsFile(entries[$0].oid) })
    // And has the trees built again that the store does not hold, whatever made the cache think so.
    let directories = work.state.directories
    let built = directories.indices.filter { directories[$0].isHashed }
    for number in try await absent(built, { try await store.contains(ObjectKey(kind: .treeNode, id: directories[$0].oid)) }) {
      work.state.forgetTree(of: number)
    }
  }

  /// Returns those of which `isHere` says that they are not.
  private func absent(_ numbers: [Int], _ isHere: @escaping @Sendable (Int) async throws -> Bool) async throws -> [Int] {
    let size = 4096
    let slices = stride(from: 0, to: numbers.count, by: size).map { numbers[$0..<min($0 + size, numbers.count)] }
    return try await slices.mapConcurrently(width: Machine.coreCount) { slice in
      var absent: [Int] = []
      for number in slice where try await !isHere(number) { absent.append(number) }
      return absent
    }.flatMap(\.self)
  }

  private func hash(_ pending: IngestWork.Pending, _ work: inout IngestWork) async throws {
    let scan = scan
    let content = content
    let progress = progress
    let trust = work.trust
    let root = scan.isDirectory(work.state) ? OpenDirectory(try DirectoryHandle(scan.location)) : nil
    let state = work.state
    let hashed = try await pending.small.mapConcurrently(width: Machine.coreCount) { batch in
      var reader = ContentReader(scan: scan, state: state, root: root, content: content, trust: trust)
      var results: [HashedEntry] = []
      results.reserveCapacity(batch.count)
      var bytes: UInt64 = 0
      for item in batch {
        let result = try await reader.read(item)
        bytes += result.entry.size
        results.append(result)
      }
      progress(batch.count, bytes)
      return results
    }
    for batch in hashed { work.take(batch) }
    // With a writer, each large file keeps all cores busy by itself; hashing alone is serial within a file.
    let width = content.writer == nil ? Machine.coreCount : 1
    let large = try await pending.large.mapConcurrently(width: width) { item in
      var reader = ContentReader(scan: scan, state: state, root: root, content: content, trust: trust)
      return try await reader.readLarge(item) { progress(0, UInt64($0)) }
    }
    progress(large.count, 0)
    work.take(large)
  }

  // MARK: - Trees

  /// Builds the trees of all directories whose content is known and that have no oid yet.
  ///
  /// - Returns: what was made and not stored; nothing with a writer.
  private func build(_ state: inout TreeState) async throws -> UnstoredTrees {
    var made = UnstoredTrees()
    for number in state.directories.indices.reversed() where !state.directories[number].isHashed {
      guard state.canBuild(number) else { continue }
      var nodes: [(ObjectID, [UInt8])] = []
      try state.build(number) { id, bytes in nodes.append((id, bytes)) }
      guard content.writer == nil else {
        for (id, bytes) in nodes { try await store(id, bytes) }
        continue
      }
      made.directories.append(number)
      for (id, bytes) in nodes { made.nodes[id] = bytes }
    }
    return made
  }

  private func store(_ id: ObjectID, _ bytes: [UInt8]) async throws {
    try await content.writer?.store(bytes, as: ObjectKey(kind: .treeNode, id: id))
  }
}

extension TreeScan {
  fileprivate func isDirectory(_ state: TreeState) -> Bool { state.isDirectory }
}
