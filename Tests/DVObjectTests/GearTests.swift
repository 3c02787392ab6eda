import Crypto
import DVTesting
import Testing

@testable import DVObject

@Suite struct GearTests {
  /// The Gear hash by its definition.
  static func hash(of bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0) { ($0 << 1) &+ GearTable.words[Int($1)] }
  }

  /// The table is what its definition makes it, by another road than ours.
  @Test func tableIsDerived() {
    let words = (0...255).map { index in
      SHA256.hash(data: Array("dv-gear 1".utf8) + [UInt8(index)]).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    #expect(GearTable.words == words)
  }

  /// A hash depends on the last 64 bytes alone.
  @Test func windowIs64Bytes() {
    var random = SeededGenerator(seed: 4)
    let bytes = [UInt8](randomCount: 1000, using: &random)
    for end in stride(from: 64, through: 1000, by: 13) {
      #expect(Self.hash(of: bytes[..<end]) == Self.hash(of: bytes[(end - 64)..<end]))
    }
  }

  /// A run of one byte never ends a chunk before the maximum: no value of a byte has a hash that stays a candidate.
  @Test(arguments: UInt8.min...UInt8.max)
  func runsOfOneByteHaveNoBoundary(byte: UInt8) {
    #expect(Self.hash(of: repeatElement(byte, count: 64)) >= ChunkLimits.standard.threshold)
  }
}
