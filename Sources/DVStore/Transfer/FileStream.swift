import DVBackend
import DVFile
public import DVObject

/// Brings one large file from a store, passes its content on in order, and keeps its chunks in another store on the way.
///
/// A fetch and a checkout after it would read, decode and hash every byte twice. Here it happens once:
///
///     read, decode                 as many tasks as keep the cores, or a far store, busy
///     hash the whole, each chunk   in order: both at once cost little more than one
///     pass on, keep                in order
///
/// Lists and nodes are left to the ``Transfer`` that follows; so are files that the destination has parts of.
public struct FileStream: Sendable {
  private let source: ObjectStore
  private let destination: ObjectStore
  private let width: Int
  private let progress: @Sendable (Transfer.Step) -> Void

  /// The most bytes of a file that is brought this way: its list, 40 bytes for a chunk, is held in memory.
  public static let sizeLimit: UInt64 = 64 << 30
  /// Chunks that are looked up and claimed at a time: some 2 MB of keys and places.
  private static let windowCount = 2 * ChunkListNode.maximumCount

  /// - Parameters:
  ///   - width: how many runs of chunks, of up to 4 MiB, are read ahead at most; `nil` for what suits the source.
  ///   - progress: called with stored bytes, as by a ``Transfer``.
  public init(
    from source: ObjectStore, to destination: ObjectStore, width: Int? = nil,
    progress: @escaping @Sendable (Transfer.Step) -> Void = { _ in }
  ) {
    self.source = source
    self.destination = destination
    // A far store answers late: more questions have to be under way.
    let suited = source.backend.answersAtOnce ? 2 * Machine.coreCount + 2 : 2 * Machine.coreCount + 4
    self.width = max(2, min(width ?? suited, suited))
    self.progress = progress
  }

  /// Brings a file.
  ///
  /// - Returns: what was added to the destination, or `nil` if nothing was done because it has parts of the file, or the
  ///   source has no list of it, or it is too long.
  /// - Throws: ``StoreError`` with code `corrupt` or `missing` if the source does not have all of it; what `sink` throws.
  ///   What was passed on does not count then.
  public func run(_ oid: ObjectID, size: UInt64, into sink: (Span<UInt8>) throws -> Void) async throws -> WriteReport? {
    guard size <= Self.sizeLimit, try await source.contains(ObjectKey(kind: .chunkList, id: oid)) else { return nil }
    var windows: [[ChunkReference]] = []
    var count: UInt64 = 0
    try await source.forEachChunkList(of: oid, size: size) { part in
      count += part.reduce(0) { $0 + UInt64($1.length) }
      if let last = windows.indices.last, windows[last].count + part.count <= Self.windowCount {
        windows[last] += part
      } else {
        windows.append(part)
      }
    }
    guard count == size else {
      throw StoreError(.corrupt, "The list of \(oid) in \(source.name) covers \(count) bytes, not \(size).")
    }
    for window in windows {
      // What is here already is not to be moved again: a transfer tells chunk by chunk.
      guard try await destination.index.containers(ofAll: window.keys).allSatisfy({ $0 == nil }) else { return nil }
    }
    let writer = ObjectWriter(store: destination)
    var digest = ChunkedDigest()
    for window in windows { try await bring(window, writer, &digest, into: sink) }
    guard digest.finish() == oid else {
      throw StoreError(.corrupt, "The content of \(oid) in \(source.name) is damaged: its \(size) bytes have another hash.")
    }
    return try await writer.finish()
  }

  /// Brings some chunks that follow each other.
  private func bring(
    _ window: [ChunkReference], _ writer: ObjectWriter, _ digest: inout ChunkedDigest, into sink: (Span<UInt8>) throws -> Void
  ) async throws {
    let keys = window.keys
    var wanted = Set(zip(keys, try await writer.claim(ascending: keys)).lazy.filter(\.1).map(\.0.id))
    let runs = try await source.runs(of: window)
    let stored = runs.reduce((bytes: UInt64(0), objects: 0)) { sum, run in
      (sum.bytes + run.storedBytes, sum.objects + run.chunks.count)
    }
    progress(.found(bytes: stored.bytes, objects: stored.objects))
    try await runs.forEachInOrder(ahead: width) { [source] in try await source.read($0) } _: { run, read in
      let ids = digest.update(read.content.span, first: nil, lengths: run.chunks.map(\.reference.length))
      if let wrong = zip(ids, run.chunks).first(where: { $0 != $1.reference.id }) {
        let key = ObjectKey(kind: .chunk, id: wrong.1.reference.id)
        throw StoreError(.corrupt, "The \(key) of \(source.name) is damaged: its bytes are not those its name says.", key: key)
      }
      try sink(read.content.span)
      for (reference, location) in run.chunks where wanted.remove(reference.id) != nil {
        let start = Int(location.offset - run.range.lowerBound)
        try writer.append(
          ObjectKey(kind: .chunk, id: reference.id), codec: location.codec,
          stored: read.stored.span.extracting(start..<(start + location.storedLength)), length: location.length)
      }
      progress(.copied(bytes: run.storedBytes, objects: run.chunks.count))
      source.coders.give(read.content)
      try await writer.keepPace()
    }
  }
}

extension [ChunkReference] {
  /// The keys of the chunks, in ascending order, none twice.
  fileprivate var keys: [ObjectKey] {
    var keys: [ObjectKey] = []
    keys.reserveCapacity(count)
    for id in map(\.id).sorted() where keys.last?.id != id { keys.append(ObjectKey(kind: .chunk, id: id)) }
    return keys
  }
}

extension ChunkRun {
  /// Bytes of the chunks as they are stored.
  var storedBytes: UInt64 { chunks.reduce(0) { $0 + UInt64($1.location.storedLength) } }
}
