/// The SHA-256 of a stream that comes piece by piece, and that may be computed together with another's.
///
/// A processor's SHA unit idles while a single digest waits for its own last step, so two streams at once take little more
/// time than one. Where the processor has no such unit, each is computed alone.
public struct StreamDigest: Sendable {
  /// The stream, where two can be computed at once.
  private(set) var lane = HashLane()
  /// Less than a block of the stream that is not hashed yet.
  private var pending: [UInt8] = []
  /// The stream, where they cannot.
  private var digest = Digest()
  let isPaired: Bool

  /// Whether two streams cost less together than each alone.
  public static var gainsByPairing: Bool { HashLane.isSupported }

  public init() { self.init(isPaired: HashLane.isSupported) }

  init(isPaired: Bool) { self.isPaired = isPaired }

  /// Adds the next bytes of the stream.
  public mutating func update(_ bytes: Span<UInt8>) {
    guard isPaired else { return digest.update(bytes) }
    absorb(bytes.extracting(droppingFirst: absorbPending(bytes)))
  }

  /// Adds the next bytes of this stream and of another, at less than the price of two where they are of one length.
  public mutating func update(_ bytes: Span<UInt8>, and other: inout StreamDigest, _ otherBytes: Span<UInt8>) {
    guard isPaired, other.isPaired else {
      update(bytes)
      return other.update(otherBytes)
    }
    var rest = bytes.extracting(droppingFirst: absorbPending(bytes))
    let otherRest = otherBytes.extracting(droppingFirst: other.absorbPending(otherBytes))
    let taken = update(&rest, and: &other.lane, otherRest)
    absorb(rest)
    other.absorb(otherRest.extracting(droppingFirst: taken))
  }

  /// Hashes `object`, which is not part of the stream, and with it as much of the stream's next bytes as it has itself.
  ///
  /// - Parameter rest: what the stream goes on with; what was hashed is taken off. ``absorbPending(_:)`` comes before, ``absorb(_:)`` after.
  mutating func hash(_ object: Span<UInt8>, besides rest: inout Span<UInt8>) -> ObjectID {
    var other = HashLane()
    let blocks = object.count & ~(HashLane.blockSize - 1)
    let shared = update(&rest, and: &other, object)
    if shared < blocks { other.update(blocks: object.extracting(shared..<blocks)) }
    return other.finish(object.extracting(blocks..<object.count))
  }

  /// Hashes as many whole blocks of the stream as both have, takes them off `rest`, and returns how many bytes that were.
  private mutating func update(_ rest: inout Span<UInt8>, and other: inout HashLane, _ bytes: Span<UInt8>) -> Int {
    let shared = min(rest.count, bytes.count) & ~(HashLane.blockSize - 1)
    lane.update(blocks: rest.extracting(0..<shared), and: &other, blocks: bytes.extracting(0..<shared))
    rest = rest.extracting(droppingFirst: shared)
    return shared
  }

  /// Hashes whole blocks of the stream and keeps what is left; nothing may be pending from before.
  mutating func absorb(_ rest: Span<UInt8>) {
    let blocks = rest.count & ~(HashLane.blockSize - 1)
    if blocks > 0 { lane.update(blocks: rest.extracting(0..<blocks)) }
    pending.append(span: rest.extracting(blocks..<rest.count))
  }

  /// Completes a block that an earlier call began, and returns how many bytes that took.
  mutating func absorbPending(_ bytes: Span<UInt8>) -> Int {
    guard !pending.isEmpty else { return 0 }
    let taken = min(HashLane.blockSize - pending.count, bytes.count)
    pending.append(span: bytes.extracting(0..<taken))
    if pending.count == HashLane.blockSize {
      let block = pending
      lane.update(blocks: block.span)
      pending = []
    }
    return taken
  }

  /// Returns the ID of the whole stream.
  public func finish() -> ObjectID { isPaired ? lane.finish(pending.span) : digest.current() }
}
