/// How long chunks may be, and how often the content ends one.
///
/// Limits are advice to those who write: a reader takes any chunk list. Yet equal content is found again only where it was
/// cut with equal limits, so ``standard`` is frozen.
public struct ChunkLimits: Hashable, Sendable {
  /// The fewest bytes of a chunk, the last of a file excepted.
  public let minimum: Int
  /// How many leading bits of the hash must be zero to end a chunk: past the minimum, one position in 2 to this power is.
  public let targetBits: Int
  /// The most bytes of a chunk.
  public let maximum: Int

  /// Makes limits.
  ///
  /// - Precondition: `minimum` is at least ``GearHash/window``, so that a boundary depends on bytes of its own chunk only;
  ///   `maximum` is larger and at most ``ChunkReference/maximumLength``; `targetBits` is 1 to 32.
  public init(minimum: Int, targetBits: Int, maximum: Int) {
    precondition(minimum >= GearHash.window && minimum < maximum && maximum <= ChunkReference.maximumLength)
    precondition((1...32).contains(targetBits))
    self.minimum = minimum
    self.targetBits = targetBits
    self.maximum = maximum
  }

  /// The limits of every writer: at least 16 KiB, one boundary in 32 KiB beyond, at most 256 KiB, about 48 KiB on average.
  ///
  /// Why these: `docs/decisions/0001-chunk-limits.md`.
  public static let standard = ChunkLimits(minimum: 16 << 10, targetBits: 15, maximum: 256 << 10)
}
