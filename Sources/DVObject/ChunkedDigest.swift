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
    Self.forEachChunk(of: bytes, first, lengths, carried) { ids.append(hash($0, besides: &rest)) }
    absorb(rest)
    return ids
  }

  /// Adds the next bytes of the stream, and returns the ID of other bytes, which are not part of it.
  ///
  /// For a stream of stored bytes whose objects are proved as they pass.
  public mutating func update(_ bytes: Span<UInt8>, besides object: Span<UInt8>) -> ObjectID {
    guard isPaired else {
      digest.update(bytes)
      return ObjectID(hashing: object)
    }
    var rest = bytes.extracting(droppingFirst: absorbPending(bytes))
    let id = hash(object, besides: &rest)
    absorb(rest)
    return id
  }

  /// Adds the next bytes of the stream.
  public mutating func update(_ bytes: Span<UInt8>) {
    guard isPaired else { return digest.update(bytes) }
    absorb(bytes.extracting(droppingFirst: absorbPending(bytes)))
  }

  /// Hashes `object`, and with it as many blocks of the stream's `rest` as it has itself; takes these off `rest`.
  private mutating func hash(_ object: Span<UInt8>, besides rest: inout Span<UInt8>) -> ObjectID {
    var lane = HashLane()
    let blocks = object.count & ~(HashLane.blockSize - 1)
    let shared = min(blocks, rest.count & ~(HashLane.blockSize - 1))
    whole.update(blocks: rest.extracting(0..<shared), and: &lane, blocks: object.extracting(0..<shared))
    rest = rest.extracting(droppingFirst: shared)
    if shared < blocks { lane.update(blocks: object.extracting(shared..<blocks)) }
    return lane.finish(object.extracting(blocks..<object.count))
  }

  /// Hashes whole blocks of the stream and keeps what is left; nothing may be pending from before.
  private mutating func absorb(_ rest: Span<UInt8>) {
    let blocks = rest.count & ~(HashLane.blockSize - 1)
    if blocks > 0 { whole.update(blocks: rest.extracting(0..<blocks)) }
    pending.append(span: rest.extracting(blocks..<rest.count))
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
