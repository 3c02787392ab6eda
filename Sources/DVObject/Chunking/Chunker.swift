/// Cuts a file into chunks at boundaries that its content defines.
///
/// Bytes come in order, in pieces of any size. A chunk that begins at `c` ends at the first `p` with `p >= c + minimum` at
/// which the Gear hash of the 64 bytes before `p` begins with ``ChunkLimits/targetBits`` zero bits, and at `c + maximum` if
/// there is none; the last chunk ends with the file. Since the minimum is at least 64, no boundary depends on what came
/// before its chunk: after an edit the boundaries soon fall as before.
///
/// ```swift
/// var rest = bytes
/// while let length = chunker.nextBoundary(in: rest) {
///   // The first `length` bytes of `rest` end a chunk.
///   rest = rest.extracting(droppingFirst: length)
/// }
/// // What is left, and what comes with the next piece, goes on in the same chunk.
/// ```
public struct Chunker: Sendable {
  /// Where chunks may end.
  public let limits: ChunkLimits
  /// How many bytes of the current chunk have been seen.
  public private(set) var length = 0
  private var hash = GearHash()

  /// Makes a chunker that stands at the start of a file.
  public init(limits: ChunkLimits = .standard) {
    self.limits = limits
  }

  /// Returns how many bytes of `bytes` end the current chunk, or `nil` if it goes on past them.
  ///
  /// Where the boundaries fall depends on the content alone, never on how the caller cut it into calls. When a boundary is
  /// returned, the next call goes on with the byte after it.
  ///
  /// - Complexity: O(*n*) in the bytes looked at, at most ``ChunkLimits/maximum``; allocates nothing.
  public mutating func nextBoundary(in bytes: Span<UInt8>) -> Int? {
    // No boundary can fall before the minimum, and only the window before it counts: the rest is never read.
    let start = min(bytes.count, max(0, limits.minimum - GearHash.window - length))
    // From here on a byte may end the chunk.
    let open = min(bytes.count, max(start, limits.minimum - 1 - length))
    let end = min(bytes.count, limits.maximum - length)
    hash.warm(bytes, from: start, to: open)
    if let boundary = hash.roll(over: bytes, from: open, to: end, until: limits.threshold) {
      length = 0
      return boundary
    }
    length += end
    guard length == limits.maximum else { return nil }
    length = 0
    return end
  }
}
