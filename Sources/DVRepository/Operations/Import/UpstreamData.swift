import DVFile
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// Data of another repository as it is there now, found without its content.
struct UpstreamData {
  private let source: SourceRepository.Opened
  private let path: TreePath
  /// What is to be transferred; `nil` for what has to be copied as files: a directory with several targets, or a file of git's.
  private let root: TransferRoot?
  /// What a pointer to it says; of what is copied as files nothing is known before.
  let pointer: Pointer?

  /// - Throws: ``RepositoryError/Code/usage`` if the repository has no such path.
  init(_ path: TreePath, in source: SourceRepository.Opened) async throws {
    self.source = source
    self.path = path
    let repository = source.repository
    let location = Location(revision: source.revision, path: path)
    let selection: Selection
    do { selection = try repository.data(at: location) } catch let error as RepositoryError {
      // A file of git's, which `GetData` finds or refuses.
      guard error.code == .usage, source.commit != nil, !path.isRoot else { throw error }
      (root, pointer) = (nil, nil)
      return
    }
    if let unreadable = selection.unreadable.first { throw RepositoryError(.conflict, unreadable.message) }
    guard !selection.items.isEmpty else {
      throw RepositoryError(.usage, "'\(path)' has no tracked data there.", remedy: "'dv ls' in that repository lists what is tracked.")
    }
    guard selection.items.count == 1, let item = selection.items.first, item.data.target == path || !item.inside.isRoot else {
      (root, pointer) = (nil, nil)
      return
    }
    if item.inside.isRoot {
      root = try item.data.root()
      pointer = item.data.pointer.withoutRun
      return
    }
    let entry = try await item.entry(TreeBrowser(read: try repository.dataReader().nodes), at: location)
    let label = path.description
    switch entry.mode {
    case .directory:
      root = TransferRoot(kind: .tree, oid: entry.oid, size: entry.size, label: label)
      pointer = Pointer(tree: entry.oid, totals: TreeTotals(files: entry.files, bytes: entry.size))
    case .file, .executable:
      root = TransferRoot(kind: .file, oid: entry.oid, size: entry.size, label: label)
      pointer = Pointer(file: entry.oid, size: entry.size, executable: entry.mode == .executable)
    case .symlink:
      throw RepositoryError(.usage, "'\(path)' is a symbolic link.", remedy: "Import what it leads to, or the directory it is in.")
    }
  }

  /// Makes the content complete in the local store.
  ///
  /// - Throws: ``RepositoryError/Code/missing`` or `corrupt` if it is not to be had.
  func bring(to local: LocalStore, in repository: Repository, progress: ProgressSink) async throws -> Pointer {
    guard let root, let pointer else { return try await bringFiles(to: local, in: repository, progress: progress) }
    let erased = try source.repository.erasures().oids
    local.store.regardAsErased(erased)
    var completeness = Completeness(of: local.store)
    if try await completeness.has(root) { return pointer }
    progress.begin("Fetching", totalBytes: 0, totalItems: 0)
    var failures: [TransferFailure] = []
    var refusal: (any Error)?
    for store in try await stores(&refusal) {
      store.regardAsErased(erased)
      _ = await store.prepareFetch(of: [root])
      let report = try await Transfer(.fetch, from: store, to: local.store) { progress.count($0) }.run([root])
      if report.incompleteRoots.isEmpty { return pointer }
      failures = report.failed
      try await local.store.refresh()
    }
    if let refusal, failures.isEmpty { throw refusal }
    let isCorrupt = failures.contains(where: \.isCorrupt)
    let paths = failures.flatMap(\.affects).prefix(5).map { "'\($0)'" }.joined(separator: ", ")
    throw RepositoryError(
      isCorrupt ? .corrupt : .missing,
      "'\(path)' cannot be had whole\(paths.isEmpty ? "" : ": it lacks \(paths)"). \(failures.first?.message ?? "No store of that repository can be asked.")",
      remedy: "Run 'dv push' in that repository, or name another revision.")
  }

  /// The stores that may have the content: a folder's own, then its default remote.
  private func stores(_ refusal: inout (any Error)?) async throws -> [ObjectStore] {
    let repository = source.repository
    var stores: [ObjectStore] = []
    if repository.workDirectory != nil { stores.append(try await repository.localStore(for: .read).store) }
    guard try !repository.remotes().isEmpty else { return stores }
    do { stores.append(try await repository.remoteStore(try repository.remote(nil), create: false)) } catch { refusal = error }
    return stores
  }

  /// Copies files as `dv get` does and stores them.
  private func bringFiles(to local: LocalStore, in repository: Repository, progress: ProgressSink) async throws -> Pointer {
    let folder = try Downloads(repository).temporary()
    defer { withExtendedLifetime(folder) {} }
    let copy = folder.path.appending("data")
    _ = try await GetData(path, to: copy).run(from: source)
    return try await local.ingest(copy, named: path, progress: progress)
  }
}

extension LocalStore {
  /// Stores a file or directory that lies outside the working tree.
  ///
  /// - Parameter name: what messages call it.
  func ingest(_ location: FilePath, named name: TreePath, progress: ProgressSink) async throws -> Pointer {
    let scan = TreeScan(location: location, target: name, rules: IgnoreRules())
    guard let found = try await scan.run(cache: nil) else { throw RepositoryError(.usage, "There is no '\(location.printable)'.") }
    progress.begin("Storing", totalBytes: found.bytesToHash, totalItems: UInt64(found.toHash))
    let writer = ObjectWriter(addingTo: store)
    let result = try await TreeIngest(of: scan, writer: writer) { files, bytes in
      progress.advance(bytes: bytes, items: UInt64(files))
    }.run(found)
    _ = try await writer.finish()
    guard let pointer = result.pointer else {
      throw RepositoryError(.usage, "'\(location.printable)' could not be read whole.", remedy: "Run the command again.")
    }
    return pointer
  }
}
