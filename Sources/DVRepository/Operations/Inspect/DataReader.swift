public import DVObject
import DVStore
public import DVWorkspace
import SystemPackage

/// Reads tracked data from the local store and, what that lacks or holds damaged, from the default remote.
///
/// The remote is opened when it is first needed, so a question that the local store answers costs no more than that.
public final class DataReader: Sendable {
  private let local: LazyStore
  private let remote: LazyRemote?

  init(local: LazyStore, remote: RemoteOpening?) {
    self.local = local
    self.remote = remote.map(LazyRemote.init)
  }

  /// Returns the bytes of a tree node.
  ///
  /// - Throws: ``StoreError`` with code `missing` or `corrupt` if neither store has it; what opening the remote throws.
  public func node(_ id: ObjectID) async throws -> [UInt8] {
    let key = ObjectKey(kind: .treeNode, id: id)
    do { return try await local.nodes(id) } catch let error as StoreError {
      guard let remote = try await fallback(after: error) else { throw error }
      return try await remote.read(key)
    }
  }

  /// ``node(_:)`` as a value.
  public var nodes: NodeReader { { id in try await self.node(id) } }

  /// A directory for large temporary files, beside the local store.
  func scratch() async throws -> FilePath { try await local.open().scratch }

  /// Passes the content of a file to `sink`, of which nothing may count before this returns.
  ///
  /// - Parameter restart: Called when what was passed so far is void and `sink` will be given the content from its
  ///   start.
  /// - Throws: ``StoreError`` with code `missing` or `corrupt` if no store can deliver it; what opening the remote
  ///   throws.
  public func readFile(
    _ oid: ObjectID, size: UInt64, restart: () throws -> Void, into sink: (Span<UInt8>) throws -> Void
  ) async throws {
    let local = try await local.open()
    do {
      return try await local.readFile(oid, size: size, into: sink)
    } catch let error as StoreError {
      var failure = error
      if error.code == .corrupt {
        // A second look proves each chunk and goes by other copies of a damaged one.
        try restart()
        do {
          return try await local.readFile(oid, size: size, thorough: true, into: sink)
        } catch let second as StoreError {
          failure = second
        }
      }
      guard let remote = try await fallback(after: failure) else { throw failure }
      try restart()
      try await remote.readFile(oid, size: size, thorough: true, into: sink)
    }
  }

  /// Returns the remote if it may have what `error` says is not here.
  private func fallback(after error: StoreError) async throws -> ObjectStore? {
    guard error.code == .missing || error.code == .corrupt, let remote else { return nil }
    do { return try await remote.store() } catch let failure as RepositoryError where failure.code == .missing {
      return nil
    }
  }
}

/// A remote that is opened when it is first asked for.
private actor LazyRemote {
  private let opening: RemoteOpening
  private var task: Task<ObjectStore, any Error>?

  init(_ opening: RemoteOpening) { self.opening = opening }

  func store() async throws -> ObjectStore {
    let opening = opening
    // One opening, however many ask; it ends by itself within the time the remote takes to answer.
    let task = task ?? Task { try await opening.open(create: false) }
    self.task = task
    return try await task.value
  }
}

extension Repository {
  /// Returns a reader of tracked data.
  ///
  /// - Parameter allowingRemote: Whether the default remote, if there is one, is asked for what is not held locally.
  public func dataReader(allowingRemote: Bool = true) throws -> DataReader {
    // Without a remote, or with several and no default, the local store is all there is to ask.
    let remote = allowingRemote ? try? opening(of: remote(nil)) : nil
    return DataReader(local: LazyStore(try storePlace()), remote: remote)
  }

  /// Returns a reader of tracked data that asks one remote for what is not held locally.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if there is no such remote.
  func dataReader(askingRemote name: String) throws -> DataReader {
    DataReader(local: LazyStore(try storePlace()), remote: try opening(of: remote(name)))
  }
}
