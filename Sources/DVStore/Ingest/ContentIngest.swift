public import DVFile
public import DVObject

/// Turns file contents into objects of a store: hashes the whole, cuts it into chunks, stores those that are new.
///
/// Every byte is hashed in the buffer it is stored from, so an object never has other bytes than its name says, whatever
/// happens to the file meanwhile. Without a writer, contents are only hashed.
public struct ContentIngest: Sendable {
  public let writer: ObjectWriter?
  private let limits: ChunkLimits
  private let cores: Int

  /// Files up to this size are read whole and handled by one task; larger ones by all cores. In bytes.
  public static let smallLimit = 1 << 20

  public init(writer: ObjectWriter?, limits: ChunkLimits = .standard) {
    self.init(writer: writer, limits: limits, cores: Machine.coreCount)
  }

  /// - Parameter cores: on how many processors to spread a large file.
  init(writer: ObjectWriter?, limits: ChunkLimits = .standard, cores: Int) {
    self.writer = writer
    self.limits = limits
    self.cores = cores
  }

  /// Stores the content of a small file.
  ///
  /// - Parameter memory: what earlier contents taught about the codec; contents of one directory are mostly of one kind.
  /// - Returns: the object ID.
  public func ingest(_ content: [UInt8], memory: inout CodecMemory) async throws(StoreError) -> ObjectID {
    guard let writer, !content.isEmpty else { return ObjectID(hashing: content.span) }
    if content.count <= limits.minimum { return try await ingestOneChunk(content, memory: &memory, writer: writer) }
    var lengths: [Int] = []
    var chunker = Chunker(limits: limits)
    var start = 0
    while let length = chunker.nextBoundary(in: content.span.extracting(start..<content.count)) {
      lengths.append(length)
      start += length
    }
    if start < content.count { lengths.append(content.count - start) }
    if lengths.count == 1 { return try await ingestOneChunk(content, memory: &memory, writer: writer) }
    var digest = ChunkedDigest()
    let ids = digest.update(content.span, first: nil, lengths: lengths)
    let oid = digest.finish()
    let chunks = zip(ids, lengths).map { ChunkReference(id: $0, length: $1) }
    try await store(chunks, of: content, memory: &memory, writer: writer)
    var list = ChunkListBuilder()
    for chunk in chunks { append(chunk, to: &list) }
    // Fewer than 8,192 chunks: no inner node.
    if let root = list.finish(emit: { _, _ in }) {
      try await writer.store(root, as: ObjectKey(kind: .chunkList, id: oid))
    }
    return oid
  }

  private func append(_ chunk: ChunkReference, to list: inout ChunkListBuilder) { list.append(chunk, emit: { _, _ in }) }

  /// Stores content that is one chunk.
  private func ingestOneChunk(
    _ content: [UInt8], memory: inout CodecMemory, writer: ObjectWriter
  ) async throws(StoreError) -> ObjectID {
    let key = ObjectKey(kind: .chunk, id: ObjectID(hashing: content.span))
    if try await writer.claim(key) { try writer.put(content.span, as: key, memory: &memory) }
    return key.id
  }

  /// Stores the chunks of `content` that are new.
  private func store(
    _ references: [ChunkReference], of content: [UInt8], memory: inout CodecMemory, writer: ObjectWriter
  ) async throws(StoreError) {
    let isNew = try await writer.claim(references.map { ObjectKey(kind: .chunk, id: $0.id) })
    var start = 0
    for (chunk, isNew) in zip(references, isNew) {
      if isNew {
        try writer.put(
          content.span.extracting(start..<(start + chunk.length)), as: ObjectKey(kind: .chunk, id: chunk.id),
          memory: &memory)
      }
      start += chunk.length
    }
  }

  /// Stores the content of a large file, from the reader's position to its end, on all cores.
  ///
  /// One task reads and hashes the whole; others hash, encode and store batches of chunks. Takes some 8 MiB of memory
  /// per core, whatever the size.
  ///
  /// - Parameter progress: called with the number of bytes read since the last call.
  /// - Returns: the object ID and how many bytes there were.
  public func ingestLarge(
    _ file: borrowing FileReader, progress: @Sendable (Int) -> Void = { _ in }
  ) async throws -> (oid: ObjectID, size: UInt64) {
    guard let writer else { return try hash(file, progress: progress) }
    return try await LargeIngest(writer: writer, limits: limits, cores: cores).run(file, progress: progress)
  }

  private func hash(
    _ file: borrowing FileReader, progress: (Int) -> Void
  ) throws(FileError) -> (oid: ObjectID, size: UInt64) {
    let buffer = AlignedBuffer(capacity: 1 << 20)
    var digest = Digest()
    var size: UInt64 = 0
    while true {
      try file.read(into: buffer)
      if buffer.count == 0 { return (digest.finish(), size) }
      buffer.withSpan { digest.update($0) }
      size += UInt64(buffer.count)
      progress(buffer.count)
    }
  }
}
