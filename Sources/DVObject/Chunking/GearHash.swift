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
    precondition(start >= 0 && end <= bytes.count)
    var value = value
    // Unchecked: `start..<end` lies in `bytes` (precondition) and a byte is always below the table's 256.
    unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe GearTable.words.withUnsafeBufferPointer { words in
        var index = start
        while index < end {
          value = unsafe (value &<< 1) &+ words[Int(bytes[index])]
          index &+= 1
        }
      }
    }
    self.value = value
  }

  /// Rolls over `bytes[start..<end]` up to and including the first byte after which the hash is below `threshold`.
  ///
  /// - Returns: The index after that byte, or `nil` when all bytes were rolled over and none was it.
  /// - Complexity: O(*n*), about one processor cycle per byte: each step waits for the one before, and nothing else.
  mutating func roll(over bytes: Span<UInt8>, from start: Int, to end: Int, until threshold: UInt64) -> Int? {
    precondition(start >= 0 && end <= bytes.count)
    var value = value
    // Unchecked: `start..<end` lies in `bytes` (precondition) and a byte is always below the table's 256. Bounds checks
    // would cost a third of the speed here.
    let found: Int? = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe GearTable.words.withUnsafeBufferPointer { words in
        var index = start
        while index &+ 4 <= end {
          value = unsafe (value &<< 1) &+ words[Int(bytes[index])]
          if value < threshold { return index &+ 1 }
          value = unsafe (value &<< 1) &+ words[Int(bytes[index &+ 1])]
          if value < threshold { return index &+ 2 }
          value = unsafe (value &<< 1) &+ words[Int(bytes[index &+ 2])]
          if value < threshold { return index &+ 3 }
          value = unsafe (value &<< 1) &+ words[Int(bytes[index &+ 3])]
          if value < threshold { return index &+ 4 }
          index &+= 4
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
