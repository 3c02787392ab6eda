import DVBackend
public import DVFile
public import DVObject
import Synchronization

/// Copies objects from one store to another, so that the destination holds all that some roots name.
///
/// Push and pull are this, with the ends swapped. Every object is decoded and proved on its way in; one that is damaged or
/// missing is left out and named, and the rest is delivered. Nothing is visible at the destination before ``run(_:bases:)``
/// returns.
public struct Transfer: Sendable {
  public let source: ObjectStore
  public let destination: ObjectStore
  /// Where nodes and lists are read, in this order: what lies nearer first.
  private let reader: StructureReader
  /// How many containers are read at once.
  private let width: Int
  private let progress: @Sendable (Int, Int) -> Void

  /// Which of the two stores is near.
  public enum Direction: Hashable, Sendable {
    case push
    case fetch
  }

  /// - Parameter progress: called with bytes and objects copied since the last call.
  public init(
    _ direction: Direction, from source: ObjectStore, to destination: ObjectStore,
    width: Int = max(2, Machine.coreCount),
    progress: @escaping @Sendable (_ bytes: Int, _ objects: Int) -> Void = { _, _ in }
  ) {
    self.source = source
    self.destination = destination
    reader = StructureReader(stores: direction == .push ? [source, destination] : [destination, source])
    self.width = width
    self.progress = progress
  }

  /// Copies what the destination lacks.
  ///
  /// - Parameter bases: for a root's oid, a tree that the destination is known to have whole.
  public func run(_ roots: [TransferRoot], bases: [ObjectID: ObjectID] = [:]) async throws -> TransferReport {
    try await run(roots, bases: bases, writer: ObjectWriter(store: destination))
  }

  func run(
    _ roots: [TransferRoot], bases: [ObjectID: ObjectID], writer: ObjectWriter
  ) async throws -> TransferReport {
    let failures = FailureList()
    var walk = ClosureWalk(reader: reader, writer: writer) { chunks in
      failures.append(try await copy(chunks, writer: writer))
    }
    for root in roots { try await walk.walk(root, base: bases[root.oid]) }
    try await walk.finish()
    let written = try await writer.finish()
    var report = TransferReport()
    report.objects = written.objects
    report.bytes = written.storedBytes
    report.packs = written.packs
    report.skipped = walk.skipped
    report.failed = walk.failures + failures.all
    if !failures.all.isEmpty { try await Affected(reader: reader).name(&report.failed, roots: roots) }
    return report
  }

  private func copy(_ chunks: [ClosureWalk.Chunk], writer: ObjectWriter) async throws -> [TransferFailure] {
    let plan = try await CopyPlan(copying: chunks, from: source)
    let failures = FailureList()
    for key in plan.missing {
      failures.append([
        TransferFailure(
          key: key, isCorrupt: false, message: "The \(key) is not in \(source.name).", affects: [])
      ])
    }
    let whole = plan.groups.filter(\.isWhole)
    let parts = plan.groups.filter { !$0.isWhole }.flatMap(\.parts)
    try await whole.forEachConcurrently(width: width) { group in
      if let pack = try await destination.copyPack(group, from: source) {
        writer.adopt(pack)
        progress(Int(pack.size), pack.entries.count)
      } else {
        for part in group.parts { failures.append(try await copyPieces(part, writer: writer)) }
      }
    }
    try await parts.forEachConcurrently(width: width) { part in
      failures.append(try await copyPieces(part, writer: writer))
    }
    return failures.all
  }

  /// Copies objects one by one, reading neighbours together.
  private func copyPieces(_ group: CopyPlan.Group, writer: ObjectWriter) async throws -> [TransferFailure] {
    var failures: [TransferFailure] = []
    var object: [UInt8] = []
    let key = StoreLayout.container(group.container)
    var rest = group.pieces[...]
    while let first = rest.first {
      var end = first.location.range.upperBound
      var count = 0
      for piece in rest {
        let range = piece.location.range
        guard count == 0 || (range.lowerBound >= end && range.lowerBound - end <= ChunkRun.gapLimit),
          range.upperBound - first.location.offset <= UInt64(ChunkRun.byteLimit) || count == 0
        else { break }
        end = range.upperBound
        count += 1
      }
      let run = rest.prefix(count)
      rest = rest.dropFirst(count)
      var bytes: [UInt8]?
      do throws(BackendError) {
        bytes = try await source.backend.get(key, range: first.location.offset..<end)
      } catch {
        guard error.code == .corrupt else { throw StoreError(error) }
      }
      for piece in run {
        if let bytes {
          let start = Int(piece.location.offset - first.location.offset)
          let stored = bytes.span.extracting(start..<(start + piece.location.storedLength))
          if source.proves(stored, piece, using: &object) {
            try writer.append(piece.key, codec: piece.location.codec, stored: stored, length: piece.location.length)
            progress(piece.location.storedLength, 1)
            continue
          }
        }
        // Damaged or gone here: every other place is tried.
        do throws(StoreError) {
          try await source.read(piece.key, into: &object)
          var memory = CodecMemory()
          try writer.put(object.span, as: piece.key, memory: &memory)
          progress(piece.location.storedLength, 1)
        } catch {
          guard error.code == .corrupt || error.code == .missing else { throw error }
          failures.append(
            TransferFailure(key: piece.key, isCorrupt: error.code == .corrupt, message: error.message, affects: []))
        }
      }
    }
    return failures
  }
}

extension ObjectStore {
  /// Whether stored bytes decode to the object that they should be.
  func proves(_ stored: Span<UInt8>, _ piece: CopyPlan.Piece, using object: inout [UInt8]) -> Bool {
    do throws(StoreError) {
      try decode(
        stored, of: piece.key, codec: piece.location.codec, length: piece.location.length, at: piece.location,
        into: &object)
      return true
    } catch {
      return false
    }
  }
}

/// Failures gathered from many tasks.
private final class FailureList: Sendable {
  private let list = Mutex<[TransferFailure]>([])

  var all: [TransferFailure] { list.withLock { $0 } }

  func append(_ failures: [TransferFailure]) {
    if !failures.isEmpty { list.withLock { $0 += failures } }
  }
}
