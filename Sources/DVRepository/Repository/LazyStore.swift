import DVFile
import DVObject
import DVStore
import DVWorkspace

/// The local store for reading, opened when it is first asked: most looks at a working tree never need it.
actor LazyStore {
  private let place: StorePlace
  private var opening: Task<LocalStore, any Error>?

  init(_ place: StorePlace) { self.place = place }

  /// Opens the store, or returns the one that is open.
  func open() async throws -> ObjectStore {
    let place = place
    let task = opening ?? Task { try await place.open(for: .read) }
    opening = task
    return try await task.value.store
  }

  /// Looks again for what other processes, or sessions of this one, wrote.
  func refresh() async throws {
    if opening != nil { try await open().refresh() }
  }

  /// Opens the store unless none was made yet.
  func openIfMade() async throws -> ObjectStore? {
    if opening == nil, try place.directory.fileStatFollowingLinks() == nil { return nil }
    return try await open()
  }

  /// Whether the store holds what a pointer names: of a file its content, of a tree its root node.
  func holds(_ pointer: Pointer) async throws -> Bool {
    guard pointer.kind == .tree else { return try await holdsFile(pointer.oid) }
    return try await openIfMade()?.contains(ObjectKey(kind: .treeNode, id: pointer.oid)) ?? false
  }

  /// Whether the store holds the content of a file. It needs no store to hold no bytes.
  func holdsFile(_ oid: ObjectID) async throws -> Bool {
    if oid == Self.emptyFile { return true }
    return try await openIfMade()?.containsFile(oid) ?? false
  }

  /// Reads tree nodes.
  nonisolated var nodes: NodeReader {
    { id in
      let key = ObjectKey(kind: .treeNode, id: id)
      guard let store = try await self.openIfMade() else {
        throw StoreError(.missing, "The \(key) is not in the local store.", key: key)
      }
      return try await store.read(key)
    }
  }

  private static let emptyFile = ObjectID(hashing: [UInt8]().span)
}

extension LazyStore {
  /// Whether the store holds the node of a tree.
  func holdsNode(_ id: ObjectID) async throws -> Bool {
    do {
      return try await open().contains(ObjectKey(kind: .treeNode, id: id))
    } catch let error as StoreError where error.code == .missing || error.code == .absent {
      return false
    }
  }
}
