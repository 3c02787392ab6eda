import DVBackend
import DVFile
import DVStore
import SystemPackage

/// Where the local store is, and how what is written there is shared.
struct StorePlace: Sendable {
  let directory: FilePath
  let sharing: DirectorySharing
  /// The common git directory of the clone that asks.
  let clone: FilePath

  /// Opens the store; see ``Repository/localStore(for:)``.
  ///
  /// - Parameter purpose: `verification` opens damaged stores too, and leaves to the caller what gc means to delete.
  func open(for access: Repository.StoreAccess, purpose: ObjectStore.Purpose = .use) async throws -> LocalStore {
    let backend = try DirectoryBackend(root: directory, create: true, sharing: sharing)
    let path = directory.appending("lock")
    let lock: HeldLock?
    switch access {
    case .read: lock = nil
    case .write: lock = HeldLock(try FileLock.wait(for: path, .shared))
    case .exclusive:
      let held = try FileLock.wait(for: path, .exclusive)
      guard held.isRespectedEverywhere else {
        throw RepositoryError(
          .busy, "The store '\(directory)' lies on a file system without locks, so nobody knows whether another process is writing to it.",
          remedy: "Run 'dv gc' without --now.")
      }
      lock = HeldLock(held)
    }
    let scratch = directory.appending("tmp")
    try scratch.createDirectories()
    let store = try await ObjectStore(
      backend: backend, name: "the local store", scratch: scratch, presence: .mayBeMade, purpose: purpose)
    OpenedStores.current?.add(store, repair: "dv repair")
    if access != .read, purpose == .use { try await store.avoidCondemned() }
    do { try registerClone() } catch let error as FileError where error.code == .readOnly && access == .read {
      // A disk that cannot be written is read as it is; nothing can be collected there either.
    }
    return LocalStore(store: store, backend: backend, lock: lock)
  }

  /// Tells the store which clone uses it, so that gc asks all of them what they need.
  private func registerClone() throws {
    let clones = directory.appending("clones")
    let file = clones.appending(ObjectNaming.name(of: clone))
    if try file.fileStat() != nil { return }
    try clones.createDirectories()
    try file.replaceContent(with: clone.rawBytes.span)
  }
}
