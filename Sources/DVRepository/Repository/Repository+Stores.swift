public import DVBackend
import DVFile
import DVGit
public import DVStore
public import SystemPackage

/// The local store, held open for one operation.
///
/// Who writes holds the store's lock with others; `gc --now` holds it alone. The lock only ever delays `gc --now`: nothing
/// else depends on it, and it ends with the process.
public struct LocalStore: Sendable {
  public let store: ObjectStore
  public let backend: DirectoryBackend
  /// Held as long as this value is; nobody asks it anything.
  private let lock: HeldLock?

  init(store: ObjectStore, backend: DirectoryBackend, lock: HeldLock?) {
    self.store = store
    self.backend = backend
    self.lock = lock
  }
}

/// A lock that is held as long as somebody refers to it.
final class HeldLock: Sendable {
  private let lock: FileLock

  init(_ lock: consuming FileLock) { self.lock = lock }
}

extension Repository {
  /// What an operation does to the local store.
  public enum StoreAccess: Hashable, Sendable {
    case read
    case write
    /// For `gc --now`: nobody else may be writing.
    case exclusive
  }

  /// Where the local store is: `core.store`, else in git's common directory.
  public func storeDirectory() throws -> FilePath {
    guard let path = try configuration.string("core.store") else { return dataDirectory.appending("store") }
    return configurationBase.pushing(FilePath(path)).lexicallyNormalized()
  }

  /// Who besides the owner may use what dv writes: `core.sharedRepository` of dv's, else of git's configuration.
  func sharing() throws -> DirectorySharing {
    let text = try configuration.string("core.sharedRepository") ?? git.config().string("core.sharedRepository")
    switch text?.lowercased() {
    case nil, "umask", "false", "0", "no": return .none
    case "group", "true", "1", "yes": return .group
    case "all", "world", "everybody", "2": return .all
    case let other?:
      // An octal mode, as git allows: what it gives to the group or to all.
      guard let mode = UInt32(other, radix: 8) else {
        throw RepositoryError(
          .usage, "core.sharedRepository is '\(other)'.", remedy: "Use 'umask', 'group', 'all' or an octal mode.")
      }
      return mode & 0o006 == 0o006 ? .all : mode & 0o060 == 0o060 ? .group : .none
    }
  }

  /// Returns what is needed to open the local store, for opening it on another task.
  func storePlace() throws -> StorePlace {
    StorePlace(
      directory: try storeDirectory(), sharing: try sharing(), clone: git.commonDirectory.lexicallyNormalized())
  }

  /// Opens the local store, making it if there is none.
  ///
  /// - Throws: ``RepositoryError/Code/busy`` if `access` is `exclusive` and another process is writing.
  public func localStore(for access: StoreAccess) async throws -> LocalStore {
    try await storePlace().open(for: access)
  }

  /// Opens the store of a remote.
  ///
  /// - Parameters:
  ///   - create: whether a push may make a store in an existing, empty place.
  ///   - asksAgain: whether everything is asked of the remote, also what a local copy tells: for who looks for damage.
  public func remoteStore(_ remote: Remote, create: Bool, asksAgain: Bool = false) async throws -> ObjectStore {
    try await opening(of: remote).open(create: create, asksAgain: asksAgain)
  }

  /// Returns what it takes to open the store of a remote later, on any task.
  func opening(of remote: Remote) throws -> RemoteOpening {
    let base = configurationBase
    let known = dataDirectory.appending("remotes").appending(remote.name)
    let bucket = BucketOpening(
      name: remote.name, settings: try BucketSettings(of: remote.name, in: configuration, base: base),
      environment: environment, record: known.appending("capabilities"), requests: requests)
    return RemoteOpening(
      remote: remote, sharing: try sharing(), scratch: try storeDirectory().appending("tmp"), bucket: bucket,
      copies: known.appending("copies"))
  }

  // MARK: Clones of a shared store

  /// Makes the store forget a clone that is gone.
  func forgetClone(_ directory: FilePath) throws {
    try storeDirectory().appending("clones").appending(ObjectNaming.name(of: directory)).removeFile()
  }

  /// The git directories of all clones that use the local store, this one's first.
  func clonesOfStore() throws -> [FilePath] {
    let directory = try storeDirectory().appending("clones")
    var found = [git.commonDirectory.lexicallyNormalized()]
    let listing = try directory.listDirectory()
    for index in listing.indices {
      let path = FilePath(rawBytes: try directory.appending(name: listing.name(at: index)).readAll(limit: 64 << 10))
      if !found.contains(path) { found.append(path) }
    }
    return found
  }
}
