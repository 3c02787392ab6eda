/// The positions of one segment of a file at which the content would let a chunk end.
///
/// They do not depend on where chunks began, so that segments of one file are searched at once on several cores; a
/// ``ChunkResolver`` then applies the limits in order. The boundaries are exactly those of a ``Chunker``. From Ni et al.,
/// "SS-CDC: a two-stage parallel content-defined chunking for deduplicating backup storage" (2019).
///
/// This reads every byte where a ``Chunker`` skips the minimum of each chunk: it pays from two cores on.
public struct ChunkCandidates: Sendable {
  /// How many bytes the segment has.
  public let length: Int
  /// How many bytes before a segment have a say in its candidates.
  public static let contextLength = GearHash.window - 1
  /// After how many bytes of the segment a chunk may end, ascending.
  let offsets: [UInt32]

  /// Finds the candidates of `segment`.
  ///
  /// - Parameters:
  ///   - segment: Bytes of the file, less than 4 GiB.
  ///   - preceding: What stands before them in the file: its last ``contextLength`` bytes count, and it may be shorter only
  ///     where the file begins.
  /// - Complexity: O(*n*). Takes four bytes per candidate: one in 32 KiB of common data, one per byte at the very worst.
  public init(in segment: Span<UInt8>, after preceding: Span<UInt8>, limits: ChunkLimits = .standard) {
    precondition(segment.count <= Int(UInt32.max))
    var hash = GearHash()
    hash.warm(preceding, from: max(0, preceding.count - Self.contextLength), to: preceding.count)
    var offsets: [UInt32] = []
    var index = 0
    while let found = hash.roll(over: segment, from: index, to: segment.count, until: limits.threshold) {
      offsets.append(UInt32(found))
      index = found
    }
    self.length = segment.count
    self.offsets = offsets
  }
}
