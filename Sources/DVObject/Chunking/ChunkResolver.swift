/// Turns the candidates of a file's segments, taken in order, into the boundaries of its chunks.
///
/// ```swift
/// for candidates in segments { resolver.resolve(candidates) { lengths.append($0) } }
/// if let last = resolver.finish() { lengths.append(last) }
/// ```
public struct ChunkResolver: Sendable {
  /// Where chunks may end. MUST be the limits the candidates were found with.
  public let limits: ChunkLimits
  /// How many bytes of the current chunk lie in the segments seen so far.
  public private(set) var pending = 0

  /// Makes a resolver that stands at the start of a file.
  public init(limits: ChunkLimits = .standard) {
    self.limits = limits
  }

  /// Passes the length of each chunk that ends in this segment to `body`, in order.
  ///
  /// - Complexity: O(*c* + *n*) for *c* candidates and *n* chunks.
  public mutating func resolve<Failure: Error>(
    _ segment: ChunkCandidates, _ body: (Int) throws(Failure) -> Void
  ) throws(Failure) {
    // Where the current chunk began, counted from the segment's start.
    var begin = -pending
    var next = 0
    while true {
      while next < segment.offsets.count, Int(segment.offsets[next]) < begin + limits.minimum { next += 1 }
      var end = begin + limits.maximum
      if next < segment.offsets.count { end = min(end, Int(segment.offsets[next])) }
      guard end <= segment.length else { break }
      try body(end - begin)
      begin = end
    }
    pending = segment.length - begin
  }

  /// Returns the length of the last chunk, or `nil` if the file ended with a boundary or is empty, and begins anew.
  public mutating func finish() -> Int? {
    defer { pending = 0 }
    return pending > 0 ? pending : nil
  }
}
