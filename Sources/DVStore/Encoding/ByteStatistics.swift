/// A quick look at a run of bytes: would a compressor gain anything, and do bytes at even and odd places differ?
///
/// Counts byte values in a sample of at most 1,024 bytes, apart for each position modulo 4, and compares the number of
/// equal pairs with that of random bytes. Costs about a microsecond; says nothing about repeats at a distance, which is
/// why a chunk that looks random but repeats is kept raw.
struct ByteStatistics {
  /// How much more often two bytes of one class are equal than in random bytes: 1 is random, 256 is constant.
  private(set) var excess: (Double, Double, Double, Double) = (1, 1, 1, 1)
  /// The same over all classes together.
  private(set) var overall = 1.0

  /// Looks at `bytes`.
  init(_ bytes: Span<UInt8>) {
    // Counts of the values at positions 0, 1, 2 and 3 modulo 4, one after the other.
    var counts = InlineArray<1024, UInt16>(repeating: 0)
    var numbers = InlineArray<4, Int>(repeating: 0)
    // Four runs spread over the bytes; the classes are those of the position in `bytes`.
    let run = min(256, max(bytes.count / 4, 1))
    let step = bytes.count <= 1024 ? run : (bytes.count - run) / 3
    for part in 0..<4 {
      let start = part * step
      let end = bytes.count <= 1024 && part == 3 ? bytes.count : min(start + run, bytes.count)
      if start >= end { break }
      Self.count(bytes, start..<end, &counts)
      for offset in 0..<4 where start + offset < end {
        numbers[(start + offset) & 3] += (end - start - offset + 3) / 4
      }
    }
    var pairs = InlineArray<4, Int>(repeating: 0)
    var allPairs = 0
    for value in 0..<256 {
      let (a, b) = (Int(counts[value]), Int(counts[value + 256]))
      let (c, d) = (Int(counts[value + 512]), Int(counts[value + 768]))
      pairs[0] &+= a &* (a &- 1)
      pairs[1] &+= b &* (b &- 1)
      pairs[2] &+= c &* (c &- 1)
      pairs[3] &+= d &* (d &- 1)
      let all = a &+ b &+ c &+ d
      allPairs &+= all &* (all &- 1)
    }
    func ratio(_ pairs: Int, _ number: Int) -> Double {
      number < 8 ? 1 : Double(pairs) * 256 / (Double(number) * Double(number - 1))
    }
    excess = (
      ratio(pairs[0], numbers[0]), ratio(pairs[1], numbers[1]), ratio(pairs[2], numbers[2]), ratio(pairs[3], numbers[3])
    )
    overall = ratio(allPairs, numbers[0] + numbers[1] + numbers[2] + numbers[3])
  }

  /// Counts the bytes of `range`, a part of `bytes`.
  private static func count(_ bytes: Span<UInt8>, _ range: Range<Int>, _ counts: inout InlineArray<1024, UInt16>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    var span = counts.mutableSpan
    for index in range {
      // Unchecked: `range` lies in `bytes` (precondition), a class is below 4 and a byte below 256.
      let slot = unsafe (index & 3) << 8 | Int(bytes[unchecked: index])
      unsafe span[unchecked: slot] &+= 1
    }
  }

  /// Whether nothing suggests that a compressor would gain.
  var looksRandom: Bool {
    overall < 1.25 && max(excess.0, excess.1, excess.2, excess.3) < 1.6
  }

  /// Whether bytes at even and odd places differ in kind, as in 2-byte floats.
  var differsByTwo: Bool {
    let even = (excess.0 + excess.2) / 2
    let odd = (excess.1 + excess.3) / 2
    return max(even, odd) > 1.5 * min(even, odd)
  }

  /// Whether bytes differ in kind with a period of four, as in 4-byte floats.
  var differsByFour: Bool {
    max(excess.0, excess.2) > 1.5 * min(excess.0, excess.2) || max(excess.1, excess.3) > 1.5 * min(excess.1, excess.3)
  }
}
