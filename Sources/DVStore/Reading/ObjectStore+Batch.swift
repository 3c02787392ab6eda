import DVBackend
import DVFile
import DVObject

/// Stored objects of one container that lie close together: read with one request.
struct PieceRun: Sendable {
  let pieces: ArraySlice<CopyPlan.Piece>

  /// The bytes of the container to read.
  var range: Range<UInt64> {
    guard let first = pieces.first, let last = pieces.last else { return 0..<0 }
    return first.location.offset..<last.location.range.upperBound
  }

  /// Cuts pieces of one container, in the order in which they lie there, into runs.
  static func cut(_ pieces: ArraySlice<CopyPlan.Piece>) -> [PieceRun] {
    var runs: [PieceRun] = []
    var rest = pieces
    while let first = rest.first {
      var end = first.location.range.upperBound
      var count = 1
      for piece in rest.dropFirst() {
        let range = piece.location.range
        guard range.lowerBound >= end, range.lowerBound - end <= ChunkRun.gapLimit,
          range.upperBound - first.location.offset <= UInt64(ChunkRun.byteLimit)
        else { break }
        end = range.upperBound
        count += 1
      }
      runs.append(PieceRun(pieces: rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return runs
  }
}

extension ObjectStore {
  /// Reads many small objects, neighbours together.
  ///
  /// - Parameter keys: in ascending order, none twice.
  /// - Returns: the proved bytes of each; `nil` for what this store lacks, and for what is damaged or gone in the place
  ///   tried: ``read(_:)`` tries the others.
  func read(ascending keys: [ObjectKey]) async throws -> [[UInt8]?] {
    var result = [[UInt8]?](repeating: nil, count: keys.count)
    var numbers: [ObjectKey: Int] = [:]
    var pieces: [CopyPlan.Piece] = []
    for (number, key) in keys.enumerated() {
      if let kept = index.hints.object(key) { result[number] = kept } else { numbers[key] = number }
    }
    let asked = numbers.count == keys.count ? keys : keys.filter { numbers[$0] != nil }
    if asked.isEmpty { return result }
    try await index.locations(ofAll: asked).forEachObject { number, places in
      guard let first = places.first else { return }
      pieces.append(CopyPlan.Piece(key: asked[number], location: first.location))
    }
    let runs = CopyPlan(pieces).groups.flatMap { PieceRun.cut($0.pieces[...]) }
    let read = try await runs.mapConcurrently(width: Machine.coreCount) { run in try await self.objects(of: run) }
    for (key, bytes) in read.joined() {
      if let number = numbers[key] { result[number] = bytes }
    }
    return result
  }

  /// Reads the objects of one run; those that are damaged are left out.
  private func objects(of run: PieceRun) async throws -> [(ObjectKey, [UInt8])] {
    guard let first = run.pieces.first, let stored = try await bytes(of: run, in: first.location.container) else { return [] }
    var objects: [(ObjectKey, [UInt8])] = []
    var object: [UInt8] = []
    for piece in run.pieces {
      let start = Int(piece.location.offset - run.range.lowerBound)
      let bytes = stored.span.extracting(start..<(start + piece.location.storedLength))
      if proves(bytes, piece, using: &object) { objects.append((piece.key, object)) }
    }
    return objects
  }

  /// Reads the stored bytes of a run; `nil` if the container is gone or too short.
  func bytes(of run: PieceRun, in container: IndexContainer) async throws(StoreError) -> [UInt8]? {
    do throws(BackendError) {
      return try await backend.get(StoreLayout.container(container), range: run.range)
    } catch {
      if error.code == .corrupt { return nil }
      throw StoreError(error)
    }
  }

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
