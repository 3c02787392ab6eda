import DVObject

/// Reads tree nodes and chunk lists from the first store that has them: the local one before a remote.
struct StructureReader: Sendable {
  let stores: [ObjectStore]

  func read(_ key: ObjectKey) async throws(StoreError) -> [UInt8] {
    var failure: StoreError?
    for (index, store) in stores.enumerated() {
      // The last store is asked in any case, so that its error says what is missing.
      if index < stores.count - 1, try await !store.contains(key) { continue }
      do throws(StoreError) { return try await store.read(key) } catch {
        guard error.code == .corrupt || error.code == .missing else { throw error }
        if failure == nil || error.code == .corrupt { failure = error }
      }
    }
    throw failure ?? StoreError(.missing, "The \(key) is missing.", key: key)
  }

  func node(_ oid: ObjectID) async throws(StoreError) -> TreeNode {
    let key = ObjectKey(kind: .treeNode, id: oid)
    let bytes = try await read(key)
    do { return try TreeNode(decoding: bytes) } catch {
      throw StoreError(.corrupt, "The \(key) is not a tree node: \(error).", key: key, cause: error)
    }
  }

  func listNode(_ key: ObjectKey, at place: ChunkListNode.Place) async throws(StoreError) -> (ChunkListNode, [UInt8]) {
    let bytes = try await read(key)
    do { return (try ChunkListNode(decoding: bytes.span, at: place), bytes) } catch {
      throw StoreError(.corrupt, "The \(key) does not fit: \(error).", key: key, cause: error)
    }
  }
}
