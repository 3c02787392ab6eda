import DVBackend
import DVFile
import DVStore
import SystemPackage

/// What it takes to open the store of a remote, away from the repository, which belongs to one task.
struct RemoteOpening: Sendable {
  let remote: Remote
  let sharing: DirectorySharing
  /// A directory of this machine for files under construction.
  let scratch: FilePath

  /// Opens the store.
  ///
  /// - Parameter create: whether a push may make a store in an existing, empty place.
  /// - Throws: ``RepositoryError/Code/missing`` if nothing was ever pushed there, `unreachable` if the place is not
  ///   there.
  func open(create: Bool, purpose: ObjectStore.Purpose = .use) async throws -> ObjectStore {
    let backend = try backend()
    // What is under construction lies on the file system it is for.
    let scratch = create ? backend.root.appending("tmp") : scratch
    try scratch.createDirectories()
    let opened: Result<ObjectStore, StoreError> = await open(
      backend, scratch: scratch, create: create, purpose: purpose)
    if case .failure(let error) = opened, error.code == .format, !create {
      throw RepositoryError(
        .missing, "Nothing has been pushed to remote '\(remote.name)' (\(backend.root)).",
        remedy: "Push to it from a clone that has the data, or check its path.", cause: error)
    }
    let store = try opened.get()
    OpenedStores.current?.add(store, repair: "dv repair --remote \(remote.name)")
    return store
  }

  /// Opens the place.
  ///
  /// - Throws: ``RepositoryError/Code/unreachable`` if it is not there.
  func backend() throws -> DirectoryBackend {
    let path: FilePath
    switch remote.url {
    case .directory(let directory): path = directory
    }
    do throws(BackendError) { return try DirectoryBackend(root: path, create: false, sharing: sharing) } catch {
      throw RepositoryError(
        .unreachable, "Remote '\(remote.name)': \(error.message)",
        remedy: "Mount the share or make the directory, or correct the path with 'dv remote add --force'.", cause: error
      )
    }
  }

  private func open(
    _ backend: DirectoryBackend, scratch: FilePath, create: Bool, purpose: ObjectStore.Purpose
  ) async -> Result<ObjectStore, StoreError> {
    do throws(StoreError) {
      return .success(
        try await ObjectStore(
          backend: backend, name: "remote '\(remote.name)'", scratch: scratch,
          presence: create ? .mayBeMade : .mustExist, purpose: purpose))
    } catch {
      return .failure(error)
    }
  }
}
