import DVBackend
import DVFile
import DVS3
import DVStore
import SystemPackage

/// What it takes to open the store of a remote, away from the repository, which belongs to one task.
struct RemoteOpening: Sendable {
  let remote: Remote
  let sharing: DirectorySharing
  /// A directory of this machine for files under construction.
  let scratch: FilePath
  let bucket: BucketOpening
  /// Where copies of what never changes on the remote are kept, if it is far away.
  let copies: FilePath

  /// Opens the store.
  ///
  /// - Parameters:
  ///   - create: whether a push may make a store in an existing, empty place.
  ///   - asksAgain: whether everything is asked of the remote, also what a local copy tells: for who looks for damage.
  /// - Throws: ``RepositoryError/Code/missing`` if nothing was ever pushed there, `unreachable` if the place is not
  ///   there.
  func open(create: Bool, asksAgain: Bool = false, purpose: ObjectStore.Purpose = .use) async throws -> ObjectStore {
    var backend = try await backend()
    if !backend.answersAtOnce, !asksAgain { backend = try CachingBackend(backend, copiesIn: copies) }
    // What is under construction lies on the file system it is for.
    let scratch = if create, let directory = backend as? DirectoryBackend { directory.root.appending("tmp") } else { scratch }
    try scratch.createDirectories()
    let opened: Result<ObjectStore, StoreError> = await open(
      backend, scratch: scratch, create: create, purpose: purpose)
    if case .failure(let error) = opened, error.code == .absent {
      throw RepositoryError(
        .missing, "Nothing has been pushed to remote '\(remote.name)' (\(remote.url)).",
        remedy: "Push to it from a clone that has the data, or check its path.", cause: error)
    }
    let store = try opened.get()
    OpenedStores.current?.add(store, repair: "dv repair --remote \(remote.name)")
    return store
  }

  /// Opens the place.
  ///
  /// - Throws: ``RepositoryError/Code/unreachable`` if it is a directory that is not there. Of a bucket and a web server
  ///   nothing is asked yet.
  func backend() async throws -> any Backend {
    switch remote.url {
    case .s3(let location): return try await bucket.backend(location)
    case .http(let endpoint): return try bucket.backend(endpoint)
    case .directory(let path):
      do throws(BackendError) { return try DirectoryBackend(root: path, create: false, sharing: sharing) } catch {
        throw RepositoryError(
          .unreachable, "Remote '\(remote.name)': \(error.message)",
          remedy: "Mount the share or make the directory, or correct the path with 'dv remote add --force'.", cause: error
        )
      }
    }
  }

  private func open(
    _ backend: any Backend, scratch: FilePath, create: Bool, purpose: ObjectStore.Purpose
  ) async -> Result<ObjectStore, StoreError> {
    do throws(StoreError) {
      return .success(
        try await ObjectStore(
          backend: backend, name: "remote '\(remote.name)'", scratch: scratch,
          presence: create ? .mayBeMade : .mustExist,
          index: backend.answersAtOnce || purpose == .verification ? .atOnce : .whenNeeded, purpose: purpose))
    } catch {
      return .failure(error)
    }
  }
}
