public import DVObject

extension ObjectStore {
  /// Objects read at a time when good copies are looked for: some megabytes, 256 MiB at worst.
  static let copiesAtOnce = 64

  /// Returns those of `keys` that this store has whole: each is read and proved.
  ///
  /// - Parameter keys: in ascending order, none twice.
  public func goodCopies(of keys: [ObjectKey]) async throws -> Set<ObjectKey> {
    var good: Set<ObjectKey> = []
    try await forEachGoodCopy(of: keys) { key, _ in good.insert(key) }
    return good
  }

  /// Calls `body` with each of `keys` that this store has whole, and its bytes.
  func forEachGoodCopy(
    of keys: [ObjectKey], _ body: (ObjectKey, [UInt8]) async throws -> Void
  ) async throws {
    var held: [ObjectKey] = []
    for (key, container) in zip(keys, try await index.containers(ofAll: keys)) where container != nil { held.append(key) }
    for start in stride(from: 0, to: held.count, by: Self.copiesAtOnce) {
      try Task.checkCancellation()
      let part = Array(held[start..<min(start + Self.copiesAtOnce, held.count)])
      for (key, bytes) in zip(part, try await read(ascending: part)) {
        if let bytes {
          try await body(key, bytes)
        } else if let bytes = try await anyCopy(of: key) {
          try await body(key, bytes)
        }
      }
    }
  }

  /// Reads an object from whichever place has it whole; `nil` if none has.
  private func anyCopy(of key: ObjectKey) async throws(StoreError) -> [UInt8]? {
    do throws(StoreError) { return try await read(key) } catch {
      guard error.code == .corrupt || error.code == .missing else { throw error }
      return nil
    }
  }
}
