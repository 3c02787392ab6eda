import DVObject
@testable import DVStore
import DVTesting
import Testing

/// Whatever the encoder makes of any kind of bytes, of any small size, decodes to them.
@Test(arguments: SampleKind.allCases)
func encodedBytesDecode(kind: SampleKind) throws {
  var random = SeededGenerator(seed: 11)
  let encoder = try ObjectEncoder()
  let decoder = try ObjectDecoder()
  var memory = CodecMemory()
  var decoded: [UInt8] = []
  for count in Array(0...300) + [1023, 1024, 1025, 4095, 4096, 4097, 4099, 65_535, 262_144] {
    let bytes = kind.bytes(count, using: &random)
    let codec = try encoder.encode(bytes.span, memory: &memory)
    let stored = codec == .raw ? bytes : encoder.stored
    try decoder.decode(stored.span, codec: codec, length: count, into: &decoded)
    #expect(decoded == bytes)
    #expect(stored.count <= count)
  }
}

/// Floats are stored in planes, text as one frame, what is random as it is.
@Test func codecsFitTheBytes() throws {
  var random = SeededGenerator(seed: 5)
  let expected: [SampleKind: (Codec, ClosedRange<Double>)] = [
    .random: (.raw, 1...1), .zeros: (.zstd, 0...0.01), .text: (.zstd, 0...0.1), .halves: (.zstdGrouped2, 0.5...0.65),
    .floats: (.zstdGrouped4, 0.75...0.82),
  ]
  for (kind, (codec, range)) in expected {
    let bytes = kind.bytes(65_536, using: &random)
    let encoder = try ObjectEncoder()
    var memory = CodecMemory()
    for _ in 0..<40 {
      #expect(try encoder.encode(bytes.span, memory: &memory) == codec)
      let part = codec == .raw ? 1 : Double(encoder.stored.count) / 65_536
      #expect(range.contains(part), "\(kind): \(part)")
    }
  }
}

/// A compressor that makes one wrong bit is caught before anything is stored.
@Test(arguments: [SampleKind.text, .halves, .floats])
func wrongEncodingsAreCaught(kind: SampleKind) throws {
  var random = SeededGenerator(seed: 3)
  let bytes = kind.bytes(6_001, using: &random)
  let encoder = try ObjectEncoder()
  let decoder = try ObjectDecoder()
  var memory = CodecMemory()
  let codec = try encoder.encode(bytes.span, memory: &memory)
  #expect(codec != .raw)
  let good = encoder.stored
  try encoder.verify(bytes.span, codec: codec, stored: good)
  var caught = 0
  for position in stride(from: 0, to: good.count * 8, by: 7) {
    var wrong = good
    wrong[position / 8] ^= 1 << UInt8(position % 8)
    var decoded: [UInt8] = []
    let isSame = (try? decoder.decode(wrong.span, codec: codec, length: bytes.count, into: &decoded)) != nil && decoded == bytes
    let isAccepted = (try? encoder.verify(bytes.span, codec: codec, stored: wrong)) != nil
    #expect(isAccepted == isSame)
    caught += isAccepted ? 0 : 1
  }
  #expect(caught > good.count)
}

/// Bytes that claim to be more than they are, or are anything at all, are refused or decode to the length asked for.
@Test(arguments: Codec.allCases)
func hostileStoredBytesAreRefused(codec: Codec) throws {
  var random = SeededGenerator(seed: 17)
  let decoder = try ObjectDecoder()
  var decoded: [UInt8] = []
  for _ in 0..<2_000 {
    var stored = [UInt8](randomCount: Int.random(in: 0...120, using: &random), using: &random)
    // Half of them begin as byte planes or frames do.
    if Bool.random(using: &random), stored.count > 24 {
      stored.replace(at: 0, bigEndian: UInt32.random(in: 0...40, using: &random) | (Bool.random(using: &random) ? 1 << 31 : 0))
      stored.replace(at: 16, bigEndian: UInt32(0x28b5_2ffd))
    }
    let length = Int.random(in: 0...4096, using: &random)
    if (try? decoder.decode(stored.span, codec: codec, length: length, into: &decoded)) != nil {
      #expect(decoded.count == length)
    }
  }
}
