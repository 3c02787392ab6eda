/// The SHA-256 of a stream and of each of the chunks it is cut into, computed together.
///
/// A processor's SHA unit idles while a single digest waits for its own last step, so two streams at once take little more
/// time than one. Where the processor has no such unit, each is computed alone.
public struct ChunkedDigest: Sendable {
  /// The whole stream, where two can be computed at once.
  private var whole = HashLane()
  /// Less than a block of the stream that is not hashed yet.
  private var pending: [UInt8] = []
  /// The whole stream, where they cannot.
  private var digest = Digest()
  private let isPaired: Bool

  public init() { self.init(isPaired: HashLane.isSupported) }

  init(isPaired: Bool) { self.isPaired = isPaired }

  /// Adds the next bytes of the stream, and returns the IDs of chunks that end in them.
  ///
  /// - Parameters:
  ///   - bytes: what the stream goes on with.
  ///   - first: the first chunk, if it began before `bytes`.
  ///   - lengths: of the chunks, that of `first` with what lies before.
  ///   - carried: how many bytes of `first` lie before.
  public mutating func update(
    _ bytes: Span<UInt8>, first: Span<UInt8>?, lengths: [Int], carried: Int = 0
  ) -> [ObjectID] {
    var ids: [ObjectID] = []
    ids.reserveCapacity(lengths.count)
    guard isPaired else {
      digest.update(bytes)
      Self.forEachChunk(of: bytes, first, lengths, carried) { ids.append(ObjectID(hashing: $0)) }
      return ids
    }
    var rest = bytes.extracting(droppingFirst: absorbPending(bytes))
    Self.forEachChunk(of: bytes, first, lengths, carried) { chunk in
      var lane = HashLane()
      let blocks = chunk.count & ~(HashLane.blockSize - 1)
      let shared = min(blocks, rest.count & ~(HashLane.blockSize - 1))
      whole.update(blocks: rest.extracting(0..<shared), and: &lane, blocks: chunk.extracting(0..<shared))
      rest = rest.extracting(droppingFirst: shared)
      if shared < blocks { lane.update(blocks: chunk.extracting(shared..<blocks)) }
      ids.append(lane.finish(chunk.extracting(blocks..<chunk.count)))
    }
    let blocks = rest.count & ~(HashLane.blockSize - 1)
    whole.update(blocks: rest.extracting(0..<blocks))
    pending.append(span: rest.extracting(blocks..<rest.count))
    return ids
  }

  /// Completes a block that an earlier call began, and returns how many bytes that took.
  private mutating func absorbPending(_ bytes: Span<UInt8>) -> Int {
    guard !pending.isEmpty else { return 0 }
    let taken = min(HashLane.blockSize - pending.count, bytes.count)
    pending.append(span: bytes.extracting(0..<taken))
    if pending.count == HashLane.blockSize {
      let block = pending
      whole.update(blocks: block.span)
      pending = []
    }
    return taken
  }

  private static func forEachChunk(
    of bytes: Span<UInt8>, _ first: Span<UInt8>?, _ lengths: [Int], _ carried: Int, _ body: (Span<UInt8>) -> Void
  ) {
    var start = 0
    for (index, length) in lengths.enumerated() {
      if index == 0, let first {
        body(first)
        start = length - carried
      } else {
        body(bytes.extracting(start..<(start + length)))
        start += length
      }
    }
  }

  /// Returns the ID of the whole stream.
  public func finish() -> ObjectID { isPaired ? whole.finish(pending.span) : digest.current() }
}
