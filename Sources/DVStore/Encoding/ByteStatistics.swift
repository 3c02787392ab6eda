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
    var counts = InlineArray<1024, UInt16>(repeating: 0)
    var all = InlineArray<256, UInt16>(repeating: 0)
    var pairs = InlineArray<4, Int>(repeating: 0)
    var numbers = InlineArray<4, Int>(repeating: 0)
    var allPairs = 0
    var total = 0
    // Four runs spread over the bytes; the classes are those of the position in `bytes`.
    let run = min(256, max(bytes.count / 4, 1))
    let step = bytes.count <= 1024 ? run : (bytes.count - run) / 3
    for part in 0..<4 {
      let start = part * step
      let end = bytes.count <= 1024 && part == 3 ? bytes.count : min(start + run, bytes.count)
      if start >= end { break }
      for index in start..<end {
        let value = Int(bytes[index])
        let slot = (index & 3) << 8 | value
        pairs[index & 3] += Int(counts[slot])
        counts[slot] += 1
        numbers[index & 3] += 1
        allPairs += Int(all[value])
        all[value] += 1
        total += 1
      }
    }
    func ratio(_ pairs: Int, _ number: Int) -> Double {
      number < 8 ? 1 : Double(pairs) * 512 / (Double(number) * Double(number - 1))
    }
    excess = (
      ratio(pairs[0], numbers[0]), ratio(pairs[1], numbers[1]), ratio(pairs[2], numbers[2]), ratio(pairs[3], numbers[3])
    )
    overall = ratio(allPairs, total)
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
