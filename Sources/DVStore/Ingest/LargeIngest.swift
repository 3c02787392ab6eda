import DVFile
import DVObject

/// A large file on its way into a store, on all cores.
///
///     read 4 MiB                     one task
///     search for boundaries          as many tasks as there are cores; with two cores, the reading task
///     cut where the limits allow     the reading task, in order
///     hash the whole and the chunks  the reading task: both at once cost little more than one; on two cores with a block of the pack
///     encode, store                  as many tasks as there are cores
///
/// Searching in parallel looks at every byte, where the sequential search skips a third of them: on two cores, which the
/// other steps keep busy anyway, it would only cost.
struct LargeIngest {
  let writer: ObjectWriter
  let limits: ChunkLimits
  let cores: Int

  /// What a task of the group did.
  private enum Step: Sendable {
    case searched(number: Int, buffer: AlignedBuffer, candidates: ChunkCandidates)
    case stored(IngestBatch.Result)
  }

  private var searchesInParallel: Bool { cores > 2 }
  /// Buffers in use at once, at most.
  private var bufferLimit: Int { searchesInParallel ? 2 * cores : max(2, cores) + 2 }

  func run(
    _ file: borrowing FileReader, progress: @Sendable (Int) -> Void
  ) async throws -> (oid: ObjectID, size: UInt64) {
    try await withThrowingTaskGroup(of: Step.self) { group in
      var digest = ChunkedDigest()
      var size: UInt64 = 0
      var cutter = BatchCutter(limits: limits)
      var list = OrderedChunkList(writer: writer)
      var memory = CodecMemory()
      var idle: [AlignedBuffer] = []
      var inUse = 0
      var read = 0
      /// The bytes before the next buffer that have a say in its boundaries.
      var context: [UInt8] = []
      /// Buffers searched before their turn.
      var early: [Int: (AlignedBuffer, ChunkCandidates)] = [:]
      var searched = 0
      var isAtEnd = false
      while true {
        if !isAtEnd, inUse < bufferLimit {
          let buffer = idle.popLast() ?? AlignedBuffer(capacity: IngestBatch.byteCount)
          try file.read(into: buffer, once: true)
          if buffer.count == 0 {
            isAtEnd = true
            continue
          }
          progress(buffer.count)
          size += UInt64(buffer.count)
          inUse += 1
          if searchesInParallel {
            let (number, before, limits) = (read, context, limits)
            buffer.withSpan { bytes in
              context = []
              context.append(span: bytes.extracting(last: ChunkCandidates.contextLength))
            }
            group.addTask {
              let candidates = buffer.withSpan { ChunkCandidates(in: $0, after: before.span, limits: limits) }
              return .searched(number: number, buffer: buffer, candidates: candidates)
            }
          } else {
            let batch = cutter.cut(buffer)
            // No core is free besides this task: it takes the pack's blocks along, at half the price.
            let chunks = batch.hash(with: &digest, besides: StreamDigest.gainsByPairing ? writer.packDigest : nil)
            group.addTask { [memory, writer] in .stored(try await batch.store(chunks, in: writer, memory: memory)) }
          }
          read += 1
          continue
        }
        switch try await group.next() {
        case .searched(let number, let buffer, let candidates)?:
          early[number] = (buffer, candidates)
          while let (buffer, candidates) = early.removeValue(forKey: searched) {
            searched += 1
            let batch = cutter.cut(buffer, at: candidates)
            let chunks = batch.hash(with: &digest, besides: nil)
            group.addTask { [memory, writer] in .stored(try await batch.store(chunks, in: writer, memory: memory)) }
          }
        case .stored(let result)?:
          inUse -= 1
          idle.append(result.buffer)
          memory = result.memory
          try await list.add(result)
        case nil:
          if let last = cutter.finish() {
            let chunk = last.buffer.withSpan { ChunkReference(id: ObjectID(hashing: $0), length: $0.count) }
            try await list.add(try await last.store([chunk], in: writer, memory: memory))
          }
          let oid = digest.finish()
          try await list.finish(oid: oid)
          return (oid, size)
        }
      }
    }
  }
}
