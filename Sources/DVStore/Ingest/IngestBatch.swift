import DVFile
import DVObject

/// The chunks that end in one buffer of a large file.
struct IngestBatch: Sendable {
  /// How much of a file is read at once, in bytes. A multiple of the longest chunk.
  static let byteCount = 4 << 20

  /// The place of the batch in the file: 0, 1, 2 …
  let number: Int
  /// The bytes of the first chunk that lie before the buffer.
  let carry: [UInt8]
  let buffer: AlignedBuffer
  /// Lengths of the chunks, the first with what is carried.
  let lengths: [Int]
  /// The first chunk in one piece, if it began before the buffer.
  let first: [UInt8]?

  init(number: Int, carry: [UInt8], buffer: AlignedBuffer, lengths: [Int]) {
    self.number = number
    self.carry = carry
    self.buffer = buffer
    self.lengths = lengths
    guard !carry.isEmpty, let length = lengths.first else {
      first = nil
      return
    }
    var chunk = carry
    chunk.reserveCapacity(length)
    buffer.withSpan { chunk.append(span: $0.extracting(0..<(length - carry.count))) }
    first = chunk
  }

  /// Hashes the buffer as the stream's next bytes, and its chunks; a block of the pack that is being written besides them.
  func hash(with digest: inout ChunkedDigest, besides pack: RunningDigest?) -> [ChunkReference] {
    let ids = buffer.withSpan { bytes in
      pack?.lend { stream, block in
        digest.update(bytes, first: first?.span, lengths: lengths, carried: carry.count, and: &stream, block)
      } ?? digest.update(bytes, first: first?.span, lengths: lengths, carried: carry.count)
    }
    return zip(ids, lengths).map { ChunkReference(id: $0, length: $1) }
  }

  struct Result: Sendable {
    let number: Int
    let buffer: AlignedBuffer
    let chunks: [ChunkReference]
    /// What the chunks taught about the codec.
    let memory: CodecMemory
  }

  /// Stores the chunks that are new.
  ///
  /// - Parameters:
  ///   - chunks: the chunks of this batch.
  ///   - memory: what earlier chunks of the file taught about the codec.
  func store(
    _ chunks: [ChunkReference], in writer: ObjectWriter, memory: CodecMemory
  ) async throws(StoreError) -> Result {
    let isNew = try await writer.claim(chunks.map { ObjectKey(kind: .chunk, id: $0.id) })
    var memory = memory
    try buffer.withSpan { bytes throws(StoreError) in
      var start = 0
      for (index, chunk) in chunks.enumerated() {
        let key = ObjectKey(kind: .chunk, id: chunk.id)
        if index == 0, let first {
          if isNew[index] { try writer.put(first.span, as: key, memory: &memory) }
          start = chunk.length - carry.count
        } else {
          if isNew[index] {
            try writer.put(bytes.extracting(start..<(start + chunk.length)), as: key, memory: &memory)
          }
          start += chunk.length
        }
      }
    }
    return Result(number: number, buffer: buffer, chunks: chunks, memory: memory)
  }
}

/// Cuts the buffers of one file, taken in order, into batches of chunks.
struct BatchCutter {
  private var chunker: Chunker
  private var resolver: ChunkResolver
  private var carry: [UInt8] = []
  private var number = 0

  init(limits: ChunkLimits) {
    chunker = Chunker(limits: limits)
    resolver = ChunkResolver(limits: limits)
  }

  /// Returns the chunks that end in `buffer`, searching for the boundaries, and keeps what follows them for the next.
  ///
  /// Of one file, either this or ``cut(_:at:)`` takes all buffers.
  mutating func cut(_ buffer: AlignedBuffer) -> IngestBatch {
    var lengths: [Int] = []
    let before = carry.count
    buffer.withSpan { bytes in
      var start = 0
      while let length = chunker.nextBoundary(in: bytes.extracting(start..<bytes.count)) {
        lengths.append(lengths.isEmpty ? before + length : length)
        start += length
      }
    }
    return batch(of: buffer, lengths)
  }

  /// Returns the chunks that end in `buffer`, in which `candidates` were found.
  mutating func cut(_ buffer: AlignedBuffer, at candidates: ChunkCandidates) -> IngestBatch {
    var lengths: [Int] = []
    resolver.resolve(candidates) { lengths.append($0) }
    return batch(of: buffer, lengths)
  }

  private mutating func batch(of buffer: AlignedBuffer, _ lengths: [Int]) -> IngestBatch {
    var rest: [UInt8] = []
    buffer.withSpan { bytes in
      if lengths.isEmpty { rest = carry }
      let start = lengths.isEmpty ? 0 : lengths.reduce(0, +) - carry.count
      rest.append(span: bytes.extracting(start..<bytes.count))
    }
    defer {
      carry = rest
      number += 1
    }
    return IngestBatch(number: number, carry: carry, buffer: buffer, lengths: lengths)
  }

  /// Returns the last chunk of the file, if it did not end with a boundary: bytes of the stream that were in buffers before.
  mutating func finish() -> IngestBatch? {
    guard !carry.isEmpty else { return nil }
    let buffer = AlignedBuffer(capacity: carry.count)
    _ = buffer.append(carry.span)
    defer { carry = [] }
    return IngestBatch(number: number, carry: [], buffer: buffer, lengths: [carry.count])
  }
}

/// Builds a file's chunk list from batches that are finished in any order.
struct OrderedChunkList {
  private let writer: ObjectWriter
  private var builder = ChunkListBuilder()
  private var early: [Int: [ChunkReference]] = [:]
  private var next = 0
  private var nodes: [(ObjectID, [UInt8])] = []

  init(writer: ObjectWriter) { self.writer = writer }

  mutating func add(_ result: IngestBatch.Result) async throws(StoreError) {
    early[result.number] = result.chunks
    while let chunks = early.removeValue(forKey: next) {
      for chunk in chunks { builder.append(chunk, emit: { id, bytes in nodes.append((id, bytes)) }) }
      next += 1
    }
    try await storeNodes()
  }

  mutating func finish(oid: ObjectID) async throws(StoreError) {
    let root = builder.finish(emit: { id, bytes in nodes.append((id, bytes)) })
    builder = ChunkListBuilder()
    try await storeNodes()
    if let root { try await writer.store(root, as: ObjectKey(kind: .chunkList, id: oid)) }
  }

  private mutating func storeNodes() async throws(StoreError) {
    for (id, bytes) in nodes { try await writer.store(bytes, as: ObjectKey(kind: .chunkListNode, id: id)) }
    nodes = []
  }
}
