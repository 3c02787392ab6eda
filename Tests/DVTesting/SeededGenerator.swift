/// A random generator that gives the same numbers for the same seed, for ever: SplitMix64 (Steele, Lea and Flood, 2014).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}

extension [UInt8] {
  /// Makes `count` random bytes: the generator's numbers one after the other, each as eight bytes, the highest first.
  public init(randomCount count: Int, using generator: inout some RandomNumberGenerator) {
    self.init()
    reserveCapacity(count + 8)
    while self.count < count {
      let word: UInt64 = generator.next()
      for shift in stride(from: UInt64(56), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    removeLast(self.count - count)
  }
}
