import DVObject

/// Reads tree nodes and chunk lists from the first store that has them: the local one before a remote.
struct StructureReader: Sendable {
  let stores: [ObjectStore]

  /// Reads one object.
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

  /// Reads many objects, neighbours together.
  ///
  /// - Parameter keys: in ascending order, none twice.
  /// - Returns: the bytes of each, or why it cannot be had: damaged or missing everywhere.
  func read(ascending keys: [ObjectKey]) async throws -> [Result<[UInt8], StoreError>] {
    var found = [[UInt8]?](repeating: nil, count: keys.count)
    var open = Array(keys.indices)
    for store in stores where !open.isEmpty {
      let bytes = try await store.read(ascending: open.map { keys[$0] })
      for (number, bytes) in zip(open, bytes) { found[number] = bytes }
      open.removeAll { found[$0] != nil }
    }
    var results: [Result<[UInt8], StoreError>] = []
    results.reserveCapacity(keys.count)
    for (key, bytes) in zip(keys, found) {
      if let bytes { results.append(.success(bytes)) } else { results.append(try await outcome(of: key)) }
    }
    return results
  }

  private func outcome(of key: ObjectKey) async throws(StoreError) -> Result<[UInt8], StoreError> {
    do throws(StoreError) { return .success(try await read(key)) } catch {
      guard error.code == .corrupt || error.code == .missing else { throw error }
      return .failure(error)
    }
  }

  /// Reads a tree node.
  func node(_ oid: ObjectID) async throws(StoreError) -> TreeNode {
    let key = ObjectKey(kind: .treeNode, id: oid)
    return try Self.node(key, try await read(key))
  }

  static func node(_ key: ObjectKey, _ bytes: [UInt8]) throws(StoreError) -> TreeNode {
    do { return try TreeNode(decoding: bytes) } catch {
      throw StoreError(.corrupt, "The \(key) is not a tree node: \(error).", key: key, cause: error)
    }
  }

  static func list(_ key: ObjectKey, _ bytes: [UInt8], at place: ChunkListNode.Place) throws(StoreError) -> ChunkListNode {
    do { return try ChunkListNode(decoding: bytes.span, at: place) } catch {
      throw StoreError(.corrupt, "The \(key) does not fit: \(error).", key: key, cause: error)
    }
  }
}
