/// The SHA-256 of a stream and of each of the chunks it is cut into, computed together. See ``StreamDigest``.
public struct ChunkedDigest: Sendable {
  private var whole: StreamDigest

  public init() { whole = StreamDigest() }

  init(isPaired: Bool) { whole = StreamDigest(isPaired: isPaired) }

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
    guard whole.isPaired else {
      whole.update(bytes)
      Self.forEachChunk(of: bytes, first, lengths, carried) { ids.append(ObjectID(hashing: $0)) }
      return ids
    }
    var rest = bytes.extracting(droppingFirst: whole.absorbPending(bytes))
    Self.forEachChunk(of: bytes, first, lengths, carried) { ids.append(whole.hash($0, besides: &rest)) }
    whole.absorb(rest)
    return ids
  }

  /// Does the same, and adds the next bytes of another stream to its digest.
  ///
  /// That one is computed besides the whole, and chunks besides each other: three streams at the price of one and a half.
  public mutating func update(
    _ bytes: Span<UInt8>, first: Span<UInt8>?, lengths: [Int], carried: Int = 0, and other: inout StreamDigest, _ otherBytes: Span<UInt8>
  ) -> [ObjectID] {
    whole.update(bytes, and: &other, otherBytes)
    var ids: [ObjectID] = []
    ids.reserveCapacity(lengths.count)
    guard whole.isPaired else {
      Self.forEachChunk(of: bytes, first, lengths, carried) { ids.append(ObjectID(hashing: $0)) }
      return ids
    }
    var inner = lengths[...]
    var start = 0
    if let first, let length = inner.popFirst() {
      ids.append(ObjectID(hashing: first))
      start = length - carried
    }
    return ids + HashLanes.hash(bytes.extracting(droppingFirst: start), lengths: inner)
  }

  /// Adds the next bytes of the stream, and returns the ID of other bytes, which are not part of it.
  ///
  /// For a stream of stored bytes whose objects are proved as they pass.
  public mutating func update(_ bytes: Span<UInt8>, besides object: Span<UInt8>) -> ObjectID {
    guard whole.isPaired else {
      whole.update(bytes)
      return ObjectID(hashing: object)
    }
    var rest = bytes.extracting(droppingFirst: whole.absorbPending(bytes))
    let id = whole.hash(object, besides: &rest)
    whole.absorb(rest)
    return id
  }

  /// Adds the next bytes of the stream.
  public mutating func update(_ bytes: Span<UInt8>) { whole.update(bytes) }

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
  public func finish() -> ObjectID { whole.finish() }
}
