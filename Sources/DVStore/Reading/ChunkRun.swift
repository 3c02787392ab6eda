import DVBackend
import DVObject

/// Chunks of one file that follow each other and lie close together in one container: read with one request.
struct ChunkRun: Sendable {
  private(set) var chunks: [(reference: ChunkReference, location: ObjectLocation)] = []
  /// Bytes of the chunks, decoded.
  private(set) var byteCount = 0

  /// The most decoded bytes of a run.
  static let byteLimit = 4 << 20
  /// The most bytes between two chunks that are read for nothing rather than asked for apart.
  static let gapLimit: UInt64 = 64 << 10

  /// The most bytes of a container that a run spans: chunks that do not compress, and some gaps.
  static let spanLimit: UInt64 = 6 << 20

  /// The bytes of the container to read.
  var range: Range<UInt64> {
    guard let first = chunks.first, let last = chunks.last else { return 0..<0 }
    return first.location.offset..<last.location.range.upperBound
  }

  /// Adds a chunk if it fits.
  mutating func append(_ reference: ChunkReference, at location: ObjectLocation) -> Bool {
    if let last = chunks.last {
      let end = last.location.range.upperBound
      guard location.container.id == last.location.container.id, location.container.kind == last.location.container.kind,
        location.offset >= end, location.offset - end <= Self.gapLimit, byteCount + reference.length <= Self.byteLimit,
        location.range.upperBound - range.lowerBound <= Self.spanLimit
      else { return false }
    }
    chunks.append((reference, location))
    byteCount += reference.length
    return true
  }
}

extension ObjectStore {
  /// Cuts `chunks` into runs.
  func runs(of chunks: [ChunkReference]) async throws(StoreError) -> [ChunkRun] {
    var runs: [ChunkRun] = []
    var run = ChunkRun()
    for chunk in chunks {
      let key = ObjectKey(kind: .chunk, id: chunk.id)
      var locations = try await locations(of: key)
      if locations.isEmpty {
        try await refresh()
        locations = try await self.locations(of: key)
      }
      // A location that goes on from the last one saves a request.
      let follows = locations.first { location in
        var trial = run
        return trial.append(chunk, at: location)
      }
      guard let location = follows ?? locations.first else {
        throw StoreError(.missing, "The \(key) is not in \(name).", key: key)
      }
      guard location.length == chunk.length else {
        throw StoreError(.corrupt, "The \(key) has \(location.length) bytes in the index of \(name), \(chunk.length) in a chunk list.", key: key)
      }
      if !run.append(chunk, at: location) {
        runs.append(run)
        run = ChunkRun()
        _ = run.append(chunk, at: location)
      }
    }
    if !run.chunks.isEmpty { runs.append(run) }
    return runs
  }

  /// Returns the decoded chunks of a run, one after the other, in a buffer of ``coders``, which takes it back.
  ///
  /// - Parameter thorough: whether each chunk is checked against its ID and, if damaged, looked for elsewhere. Without it,
  ///   the caller MUST check the whole.
  func content(of run: ChunkRun, thorough: Bool) async throws(StoreError) -> [UInt8] {
    var content = coders.takeBuffer()
    content.reserveCapacity(run.byteCount)
    if thorough {
      for chunk in run.chunks { content += try await read(ObjectKey(kind: .chunk, id: chunk.reference.id)) }
      return content
    }
    guard !run.chunks.isEmpty else { return content }
    guard let stored = try await stored(of: run) else { return try await self.content(of: run, thorough: true) }
    try decode(stored, of: run, into: &content)
    return content
  }

  /// Reads the bytes of the container that a run spans, with what lies between its chunks.
  ///
  /// - Returns: `nil` if the container is gone.
  func stored(of run: ChunkRun) async throws(StoreError) -> [UInt8]? {
    guard let first = run.chunks.first else { return [] }
    do { return try await backend.get(StoreLayout.container(first.location.container), range: run.range) } catch {
      throw StoreError(error, key: ObjectKey(kind: .chunk, id: first.reference.id))
    }
  }

  /// Appends the decoded chunks of a run to `content`; the caller MUST prove them.
  private func decode(_ stored: [UInt8], of run: ChunkRun, into content: inout [UInt8]) throws(StoreError) {
    let start = run.range.lowerBound
    let decoder = try coders.takeDecoder()
    defer { coders.give(decoder) }
    for (reference, location) in run.chunks {
      let start = Int(location.offset - start)
      let bytes = stored.span.extracting(start..<(start + location.storedLength))
      do throws(PackFormatError) {
        try decoder.decode(bytes, codec: location.codec, length: location.length, appendingTo: &content)
      } catch {
        let key = ObjectKey(kind: .chunk, id: reference.id)
        throw StoreError(
          .corrupt, "The \(key) in '\(StoreLayout.container(location.container))' of \(name) is damaged: \(error).", key: key)
      }
    }
  }

  /// A run as it was read: not proved.
  struct ReadRun: Sendable {
    /// The bytes of the container that the run spans.
    let stored: [UInt8]
    /// The chunks, decoded, one after the other.
    let content: [UInt8]
  }

  /// Reads and decodes a run; the caller MUST prove its chunks.
  ///
  /// - Throws: ``StoreError/Code/missing`` if the container is gone.
  func read(_ run: ChunkRun) async throws(StoreError) -> ReadRun {
    guard let stored = try await stored(of: run) else { throw StoreError(.missing, "A container of \(name) is gone.") }
    var content = coders.takeBuffer()
    content.reserveCapacity(run.byteCount)
    try decode(stored, of: run, into: &content)
    return ReadRun(stored: stored, content: content)
  }
}

extension [ChunkRun] {
  /// Calls `read` for each run in many tasks, a few ahead, and `body` with what came of it, in order.
  func forEachInOrder<Read: Sendable>(
    ahead: Int, _ read: @escaping @Sendable (ChunkRun) async throws -> Read,
    _ body: (ChunkRun, Read) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: (Int, Read).self) { group in
      var started = 0
      var ready: [Int: Read] = [:]
      for next in indices {
        while ready[next] == nil {
          while started < count, started < next + ahead {
            let (number, run) = (started, self[started])
            group.addTask { (number, try await read(run)) }
            started += 1
          }
          guard let (number, result) = try await group.next() else { break }
          ready[number] = result
        }
        guard let result = ready.removeValue(forKey: next) else { continue }
        try await body(self[next], result)
      }
    }
  }
}
