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
    let squares = Self.squares(counts)
    // Of *n* bytes, values that stand there *c* times make the sum of *c*(*c* - 1) equal pairs, which is that of *c*² less *n*.
    func ratio(_ squares: Int32, _ number: Int) -> Double {
      number < 8 ? 1 : Double(Int(squares) - number) * 256 / (Double(number) * Double(number - 1))
    }
    excess = (
      ratio(squares.0, numbers[0]), ratio(squares.1, numbers[1]), ratio(squares.2, numbers[2]), ratio(squares.3, numbers[3])
    )
    overall = ratio(squares.4, numbers[0] + numbers[1] + numbers[2] + numbers[3])
  }

  /// Sums the squares of the counts: of each class, and of all together.
  ///
  /// Written so that compilers make it a loop of vectors, which products of small signed numbers need on x86-64 without later
  /// extensions. No count is above 1,024.
  private static func squares(_ counts: InlineArray<1024, UInt16>) -> (Int32, Int32, Int32, Int32, Int32) {
    let span = counts.span
    func count(_ slot: Int) -> Int32 { unsafe Int32(Int16(truncatingIfNeeded: span[unchecked: slot])) }
    var (first, second, third, fourth, all): (Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0)
    for value in 0..<256 {
      // Unchecked: four classes of 256 values.
      let (a, b, c, d) = (count(value), count(value &+ 256), count(value &+ 512), count(value &+ 768))
      first &+= a &* a
      second &+= b &* b
      third &+= c &* c
      fourth &+= d &* d
      let sum = Int32(Int16(truncatingIfNeeded: a &+ b &+ c &+ d))
      all &+= sum &* sum
    }
    return (first, second, third, fourth, all)
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
