import DVBackend
import DVFile
public import DVObject
import Synchronization

/// Copies objects from one store to another, so that the destination holds all that some roots name.
///
/// Push and pull are this, with the ends swapped. Every object is decoded and proved on its way in; one that is damaged or
/// missing is left out and named, and the rest is delivered. Nothing is visible at the destination before ``run(_:bases:)``
/// returns, except chunks of a long transfer, so that a killed one need not start over.
public struct Transfer: Sendable {
  public let source: ObjectStore
  public let destination: ObjectStore
  /// Where nodes and lists are read, in this order: what lies nearer first.
  private let reader: StructureReader
  /// How many containers are read at once.
  private let width: Int
  private let progress: @Sendable (Step) -> Void

  /// Which of the two stores is near.
  public enum Direction: Hashable, Sendable {
    case push
    case fetch
  }

  /// What a transfer tells about its progress. Bytes are stored bytes.
  public enum Step: Hashable, Sendable {
    /// So much more has to be copied than was known.
    case found(bytes: UInt64, objects: Int)
    /// So much more is done.
    case copied(bytes: UInt64, objects: Int)
  }

  /// - Parameters:
  ///   - width: how many containers are read at once; `nil` for what suits the machine.
  ///   - progress: called from many tasks.
  public init(
    _ direction: Direction, from source: ObjectStore, to destination: ObjectStore,
    width: Int? = nil, progress: @escaping @Sendable (Step) -> Void = { _ in }
  ) {
    self.source = source
    self.destination = destination
    reader = StructureReader(stores: direction == .push ? [source, destination] : [destination, source])
    // More than there are cores, so that they share what is left at the end.
    self.width = max(1, width ?? Machine.coreCount + 2)
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
    let content = ContentWalk(reader: reader, source: source, writer: writer) { pieces in
      failures.append(try await copy(pieces, writer: writer))
      try await writer.keepPace()
    }
    var walk = ClosureWalk(reader: reader, content: content)
    for root in roots { try await walk.walk(root, base: bases[root.oid]) }
    try await walk.finish()
    var report = TransferReport()
    report.skipped = walk.skipped
    report.failed = walk.failures + failures.all
    if !report.failed.isEmpty {
      var affected = Affected(reader: reader, failures: report.failed)
      for (index, root) in roots.enumerated() { try await affected.visit(root, number: index) }
      report.failed = affected.failures
      report.incompleteRoots = affected.roots
      // A list says that its chunks are there: what is not whole stays out of the index.
      writer.omit(affected.lists)
    }
    if !walk.metErased.isEmpty {
      let left = walk.metErased.sorted().map { oid in
        TransferFailure(StoreError(.missing, "It was erased."), key: ObjectKey(kind: .chunk, id: oid))
      }
      var affected = Affected(reader: reader, failures: left)
      for (index, root) in roots.enumerated() { try await affected.visit(root, number: index) }
      report.erased = affected.failures
    }
    if writer.listsPlaces {
      var structure = try await StructureWriting(writer: writer, reader: reader)
      try await structure.run(roots)
    }
    let written = try await writer.finish()
    report.objects = written.objects
    report.bytes = written.storedBytes
    report.packs = written.packs
    return report
  }

  // MARK: Copying

  /// What one task copies: a whole pack, or neighbours out of one.
  private struct Job: Sendable {
    let group: CopyPlan.Group
    let isWhole: Bool
  }

  private func copy(_ pieces: [CopyPlan.Piece], writer: ObjectWriter) async throws -> [TransferFailure] {
    let plan = CopyPlan(pieces)
    progress(
      .found(bytes: pieces.reduce(0) { $0 + UInt64($1.location.storedLength) }, objects: pieces.count))
    let jobs = plan.groups.flatMap { group in
      group.isWhole
        ? [Job(group: group, isWhole: true)] : group.parts.map { Job(group: $0, isWhole: false) }
    }
    let failures = FailureList()
    try await jobs.forEachConcurrently(width: width) { job in
      try Task.checkCancellation()
      if job.isWhole, let pack = try await destination.copyPack(job.group, from: source) {
        writer.adopt(pack)
        let bytes = job.group.pieces.reduce(0) { $0 + UInt64($1.location.storedLength) }
        progress(.copied(bytes: bytes, objects: job.group.pieces.count))
      } else {
        failures.append(try await copyPieces(job.group, writer: writer))
      }
    }
    return failures.all
  }

  /// Copies objects of one container, reading neighbours together.
  private func copyPieces(_ group: CopyPlan.Group, writer: ObjectWriter) async throws -> [TransferFailure] {
    var object: [UInt8] = []
    var doubtful: [CopyPlan.Piece] = []
    for run in PieceRun.cut(group.pieces[...]) {
      try Task.checkCancellation()
      guard let bytes = try await source.bytes(of: run, in: group.container) else {
        doubtful += run.pieces
        continue
      }
      var count = 0
      var size: UInt64 = 0
      for piece in run.pieces {
        let start = Int(piece.location.offset - run.range.lowerBound)
        let stored = bytes.span.extracting(start..<(start + piece.location.storedLength))
        guard source.proves(stored, piece, using: &object) else {
          doubtful.append(piece)
          continue
        }
        try writer.append(piece.key, codec: piece.location.codec, stored: stored, length: piece.location.length)
        count += 1
        size += UInt64(stored.count)
      }
      progress(.copied(bytes: size, objects: count))
    }
    return doubtful.isEmpty ? [] : try await copyFromElsewhere(doubtful, writer: writer)
  }

  /// Copies objects that are damaged or gone where they were looked for first: every other place is tried.
  private func copyFromElsewhere(
    _ pieces: [CopyPlan.Piece], writer: ObjectWriter
  ) async throws -> [TransferFailure] {
    // Packs that are gone were merged away, as a rule: the index says where to.
    try await source.refresh()
    var failures: [TransferFailure] = []
    var object: [UInt8] = []
    for piece in pieces {
      try Task.checkCancellation()
      do throws(StoreError) {
        try await source.read(piece.key, into: &object, refreshing: false)
        var memory = CodecMemory()
        try writer.put(object.span, as: piece.key, memory: &memory)
      } catch {
        guard error.code == .corrupt || error.code == .missing else { throw error }
        failures.append(TransferFailure(error, key: piece.key))
      }
      progress(.copied(bytes: UInt64(piece.location.storedLength), objects: 1))
    }
    return failures
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
