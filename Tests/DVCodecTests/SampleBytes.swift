/// Inputs of every kind a codec meets, from one seed.
struct SampleBytes {
  /// A splitmix64 sequence: the same seed gives the same inputs on every machine.
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }

  mutating func noise(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  mutating func text(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(97 + next() % 5) }
  }

  /// Bytes like 16-bit floats: noise, then an exponent of a few values.
  mutating func halves(_ count: Int) -> [UInt8] {
    (0..<count).map { $0 % 2 == 0 ? UInt8(truncatingIfNeeded: next()) : UInt8(0x3c + next() % 4) }
  }

  /// Inputs of all kinds at the sizes where codecs have edges.
  mutating func all() -> [[UInt8]] {
    var inputs: [[UInt8]] = [[], [0]]
    for count in [1, 2, 3, 255, 256, 257, 1023, 65_535, 65_536, 65_537, 131_073, 300_000, 1_200_000] {
      inputs += [noise(count), text(count), halves(count), [UInt8](repeating: 7, count: count)]
    }
    return inputs
  }
}
