/// The Gear hash of the last 64 bytes seen: `hash = (hash << 1) + word[byte]`, modulo 2^64.
///
/// A byte's word has been shifted out after 64 more bytes, so the hash depends on the last 64 bytes alone. From Xia et al.,
/// "Ddelta: a deduplication-inspired fast delta compression approach" (2014).
struct GearHash: Sendable {
  /// How many of the last bytes the hash depends on.
  static let window = 64

  private(set) var value: UInt64 = 0

  /// Rolls over `bytes[start..<end]` without looking at the hash on the way.
  mutating func warm(_ bytes: Span<UInt8>, from start: Int, to end: Int) {
    // No hash is below 0: nothing ends the roll.
    _ = roll(over: bytes, from: start, to: end, until: 0)
  }

  /// Rolls over `bytes[start..<end]` up to and including the first byte after which the hash is below `threshold`.
  ///
  /// Three bytes go in at a time. Their words are summed first, apart from the hash, so that each step of the one serial
  /// chain, from hash to hash, takes three bytes in a single `lea`.
  ///
  /// - Returns: The index after that byte, or `nil` when all bytes were rolled over and none was it.
  /// - Complexity: O(*n*), about one processor cycle per byte.
  mutating func roll(over bytes: Span<UInt8>, from start: Int, to end: Int, until threshold: UInt64) -> Int? {
    precondition(start >= 0 && end <= bytes.count)
    var value = value
    // Unchecked: `start..<end` lies in `bytes` (precondition) and a byte is always below the table's 256.
    let found: Int? = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe GearTable.words.withUnsafeBufferPointer { words in
        var index = start
        while index &+ 3 <= end {
          let word = unsafe words[Int(bytes[index])]
          let words2 = unsafe (word &<< 1) &+ words[Int(bytes[index &+ 1])]
          let words3 = unsafe (words2 &<< 1) &+ words[Int(bytes[index &+ 2])]
          let value1 = (value &<< 1) &+ word
          let value2 = (value &<< 2) &+ words2
          let value3 = (value &<< 3) &+ words3
          if value1 < threshold {
            value = value1
            return index &+ 1
          }
          if value2 < threshold {
            value = value2
            return index &+ 2
          }
          value = value3
          index &+= 3
          if value3 < threshold { return index }
        }
        while index < end {
          value = unsafe (value &<< 1) &+ words[Int(bytes[index])]
          index &+= 1
          if value < threshold { return index }
        }
        return nil
      }
    }
    self.value = value
    return found
  }
}

extension ChunkLimits {
  /// A position may end a chunk when the hash after it is below this: when its first ``targetBits`` bits are zero.
  var threshold: UInt64 { 1 << UInt64(64 - targetBits) }
}
