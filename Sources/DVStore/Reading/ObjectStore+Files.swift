import DVFile
public import DVObject

extension ObjectStore {
  /// Passes the content of a file to `sink` in order, in pieces of some megabytes at most.
  ///
  /// The content is proved by the whole file's SHA-256 when all of it has been passed: what `sink` did before MUST not
  /// count until this returns. Pieces are read and decoded on all cores, a few ahead of the sink.
  ///
  /// - Parameters:
  ///   - size: how many bytes the file has, as its pointer or tree says.
  ///   - thorough: whether each chunk is proved too, and looked for in other places if damaged. Slower; for a second try
  ///     when the first found damage, because it either delivers or names the damaged chunk.
  /// - Throws: ``StoreError`` with code `corrupt` or `missing`; what `sink` throws.
  public func readFile(
    _ oid: ObjectID, size: UInt64, thorough: Bool = false, into sink: (Span<UInt8>) throws -> Void
  ) async throws {
    if size == 0 {
      guard oid == ObjectID(hashing: [UInt8]().span) else { throw mismatch(oid, size: size) }
      return
    }
    if try await isOneChunk(oid, size: size) {
      let bytes = try await read(ObjectKey(kind: .chunk, id: oid))
      guard UInt64(bytes.count) == size else { throw mismatch(oid, size: size) }
      try sink(bytes.span)
      return
    }
    var digest = Digest()
    var count: UInt64 = 0
    try await forEachChunkList(of: oid, size: size) { chunks in
      // Enough that a slow read or write delays neither the decoders nor the digest.
      let ahead = 2 * Machine.coreCount + 2
      try await runs(of: chunks).forEachInOrder(ahead: ahead) { try await self.content(of: $0, thorough: thorough) } _: { _, content in
        digest.update(content.span)
        count += UInt64(content.count)
        try sink(content.span)
        coders.give(content)
      }
    }
    guard count == size, digest.finish() == oid else { throw mismatch(oid, size: size) }
  }

  /// Whether the content of a file is one chunk, as far as the index knows; read again if it knows neither that nor a list.
  private func isOneChunk(_ oid: ObjectID, size: UInt64) async throws(StoreError) -> Bool {
    guard size <= UInt64(ObjectKind.chunk.byteLimit) else { return false }
    let chunk = ObjectKey(kind: .chunk, id: oid)
    if try await !index.locations(of: chunk).isEmpty { return true }
    if try await !index.locations(of: ObjectKey(kind: .chunkList, id: oid)).isEmpty { return false }
    try await refresh()
    return try await !index.locations(of: chunk).isEmpty
  }

  private func mismatch(_ oid: ObjectID, size: UInt64) -> StoreError {
    StoreError(
      .corrupt, "The content of \(oid) in \(name) is damaged: its \(size) bytes have another hash. Nothing was delivered.",
      key: ObjectKey(kind: .chunkList, id: oid))
  }

  /// Calls `body` with the chunks of a file in order, up to 8,192 at a time.
  ///
  /// - Throws: ``StoreError/Code/corrupt`` if the list covers another number of bytes than `size`.
  public func forEachChunkList(
    of oid: ObjectID, size: UInt64, _ body: ([ChunkReference]) async throws -> Void
  ) async throws {
    let key = ObjectKey(kind: .chunkList, id: oid)
    try await visit(key, at: .root(bytes: size), body)
  }

  private func visit(
    _ key: ObjectKey, at place: ChunkListNode.Place, _ body: ([ChunkReference]) async throws -> Void
  ) async throws {
    let bytes = try await read(key)
    let node: ChunkListNode
    do { node = try ChunkListNode(decoding: bytes.span, at: place) } catch {
      throw StoreError(.corrupt, "The \(key) in \(name) is damaged: \(error).", key: key, cause: error)
    }
    switch node.entries {
    case .chunks(let chunks): try await body(chunks)
    case .nodes(let nodes):
      for (index, child) in nodes.enumerated() {
        try await visit(
          ObjectKey(kind: .chunkListNode, id: child.id), at: node.place(ofNode: index, in: place), body)
      }
    }
  }
}
