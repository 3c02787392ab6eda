import DVZlib
import Testing

@Suite struct ZlibTests {
  /// Whatever goes in comes out, whichever level made it, behind what was there before.
  @Test(arguments: [1, 6, 9])
  func roundTrip(level: Int) throws {
    let deflater = try Deflater(level: level)
    let inflater = try Inflater()
    var samples = SampleBytes(seed: UInt64(level))
    for input in samples.all() {
      var stream: [UInt8] = [1, 2]
      try deflater.compress(input.span, into: &stream)
      stream.removeFirst(2)
      var output: [UInt8] = [9]
      try inflater.decompress(stream.span, count: input.count, into: &output)
      #expect(output == [9] + input)
    }
  }

  /// A stream that holds more or fewer bytes than said is refused, and nothing is kept of it.
  @Test func sizeMustBeExact() throws {
    let deflater = try Deflater()
    let inflater = try Inflater()
    for input in [[], [5], [UInt8](repeating: 0, count: 10_000_000)] as [[UInt8]] {
      var stream: [UInt8] = []
      try deflater.compress(input.span, into: &stream)
      for wrong in [0, input.count - 1, input.count + 1, 17] where wrong >= 0 && wrong != input.count {
        var output: [UInt8] = []
        let error = #expect(throws: ZlibError.self) {
          try inflater.decompress(stream.span, count: wrong, into: &output)
        }
        #expect(error?.code == .wrongSize)
        #expect(output.isEmpty)
      }
      var output: [UInt8] = []
      #expect(throws: ZlibError.self) {
        try inflater.decompress((stream + [0]).span, count: input.count, into: &output)
      }
    }
  }

  /// A cut stream is an error; a flipped bit is one or yields as many bytes as were asked for. That these are the right
  /// bytes is not promised: Adler-32 misses flips in short streams of few letters, which is why dv checks by hash.
  @Test func damageIsContained() throws {
    var samples = SampleBytes(seed: 4)
    let input = samples.text(300)
    var stream: [UInt8] = []
    try Deflater().compress(input.span, into: &stream)
    let inflater = try Inflater()
    for length in 0..<stream.count {
      var output: [UInt8] = []
      #expect(throws: ZlibError.self) {
        try inflater.decompress(Array(stream[..<length]).span, count: input.count, into: &output)
      }
      #expect(output.isEmpty)
    }
    for bit in 0..<stream.count * 8 {
      var damaged = stream
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      var output: [UInt8] = []
      do {
        try inflater.decompress(damaged.span, count: input.count, into: &output)
        #expect(output.count == input.count)
      } catch {
        #expect(output.isEmpty)
      }
    }
  }

  @Test func levelsOutsideAreRefused() {
    for level in [-1, 0, 10] {
      #expect(throws: ZlibError.self) { try Deflater(level: level) }
    }
  }

  /// The check value every CRC-32 of this kind has, and the same however the bytes are dealt out.
  @Test func crc32() {
    let digits = Array("123456789".utf8)
    #expect(CRC32.checksum(digits.span) == 0xcbf4_3926)
    #expect(CRC32.checksum([UInt8]().span) == 0)
    for cut in 0...digits.count {
      var checksum = CRC32()
      checksum.update(Array(digits[..<cut]).span)
      checksum.update(Array(digits[cut...]).span)
      #expect(checksum.value == 0xcbf4_3926)
    }
  }
}
