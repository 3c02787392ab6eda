import DVTesting
import DVZstd
import Testing

@Suite struct ZstdTests {
  /// Whatever goes in comes out, though the modes change from frame to frame.
  @Test func roundTrip() throws {
    let compressor = try ZstdCompressor()
    let decompressor = try ZstdDecompressor()
    var samples = SampleBytes(seed: 1)
    for input in samples.all() {
      for mode in [ZstdCompressor.Mode.level1, .entropy, .level1] {
        var frame: [UInt8] = [1]
        let count = try compressor.compress(input.span, into: &frame, mode: mode)
        #expect(frame.count == 1 + count)
        frame.removeFirst()
        var output: [UInt8] = [9]
        try decompressor.decompress(frame.span, count: input.count, into: &output)
        #expect(output == [9] + input)
      }
    }
  }

  /// The same input gives the same frame, whatever the compressor did before.
  @Test func framesDoNotDependOnHistory() throws {
    let used = try ZstdCompressor()
    var samples = SampleBytes(seed: 2)
    for input in samples.all() {
      for mode in [ZstdCompressor.Mode.entropy, .level1] {
        var (first, second) = ([UInt8](), [UInt8]())
        try used.compress(input.span, into: &first, mode: mode)
        try ZstdCompressor().compress(input.span, into: &second, mode: mode)
        #expect(first == second)
      }
    }
  }

  @Test func entropyModeCodesSkewedBytes() throws {
    var samples = SampleBytes(seed: 3)
    let exponents = samples.noise(100_000).map { 0x3c + $0 % 4 }
    var frame: [UInt8] = []
    try ZstdCompressor().compress(exponents.span, into: &frame, mode: .entropy)
    #expect(frame.count < 33_000)
  }

  /// A frame over the limit is no frame; one at the limit is.
  @Test func limitIsKept() throws {
    let compressor = try ZstdCompressor()
    var samples = SampleBytes(seed: 4)
    let input = samples.text(50_000)
    var whole: [UInt8] = []
    let count = try compressor.compress(input.span, into: &whole)
    var output: [UInt8] = []
    #expect(try compressor.compress(samples.noise(50_000).span, into: &output, atMost: 49_000) == nil)
    for limit in [0, 1, count / 2] {
      #expect(try compressor.compress(input.span, into: &output, atMost: limit) == nil)
      #expect(output.isEmpty)
    }
    #expect(try compressor.compress(input.span, into: &output, atMost: count + 4096) == count)
    #expect(output == whole)
  }

  /// A frame that holds, or claims, another size is refused before anything is reserved.
  @Test func sizeMustBeExact() throws {
    let decompressor = try ZstdDecompressor()
    let input = [UInt8](repeating: 0, count: 50_000_000)
    var bomb: [UInt8] = []
    try ZstdCompressor().compress(input.span, into: &bomb)
    #expect(bomb.count < 10_000)
    var output: [UInt8] = []
    for wrong in [0, 1, 4096, input.count - 1, input.count + 1] {
      let error = #expect(throws: ZstdError.self) {
        try decompressor.decompress(bomb.span, count: wrong, into: &output)
      }
      #expect(error?.code == .wrongSize)
      #expect(output.capacity == 0)
    }
  }

  /// Only one frame, whole, with a size, without a dictionary and with a window that fits.
  @Test func otherFramesAreRefused() throws {
    let decompressor = try ZstdDecompressor()
    let empty: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0]
    let refused: [([UInt8], Int, ZstdError.Code)] = [
      ([], 0, .corrupt),
      (empty + [0], 0, .corrupt),
      (empty + empty, 0, .corrupt),
      // A skippable frame, alone and before a frame.
      ([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0], 0, .corrupt),
      ([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0] + empty, 0, .corrupt),
      // A dictionary, a reserved bit, no content size, a window of 2 GiB for one byte.
      ([0x28, 0xb5, 0x2f, 0xfd, 0x21, 5, 0, 1, 0, 0], 0, .unsupported),
      ([0x28, 0xb5, 0x2f, 0xfd, 0x28, 0, 1, 0, 0], 0, .unsupported),
      ([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 9, 0, 0, 7], 1, .wrongSize),
      ([0x28, 0xb5, 0x2f, 0xfd, 0x80, 0xa8, 1, 0, 0, 0, 9, 0, 0, 7], 1, .wrongSize),
      // A content size of 2^64 - 1.
      ([0x28, 0xb5, 0x2f, 0xfd, 0xe0] + [UInt8](repeating: 0xff, count: 8) + [1, 0, 0], 1, .wrongSize),
    ]
    for (frame, count, code) in refused {
      var output: [UInt8] = []
      let error = #expect(throws: ZstdError.self) {
        try decompressor.decompress(frame.span, count: count, into: &output)
      }
      #expect(error?.code == code, "\(frame)")
      #expect(output.isEmpty)
    }
    var output: [UInt8] = []
    try decompressor.decompress(empty.span, count: 0, into: &output)
    #expect(output.isEmpty)
  }

  /// A cut frame is an error; a flipped bit is one or yields as many bytes as were asked for.
  @Test func damageIsContained() throws {
    let compressor = try ZstdCompressor()
    let decompressor = try ZstdDecompressor()
    var samples = SampleBytes(seed: 5)
    for (input, mode) in [(samples.text(400), ZstdCompressor.Mode.level1), (samples.halves(600), .entropy)] {
      var frame: [UInt8] = []
      try compressor.compress(input.span, into: &frame, mode: mode)
      for length in 0..<frame.count {
        var output: [UInt8] = []
        #expect(throws: ZstdError.self) {
          try decompressor.decompress(Array(frame[..<length]).span, count: input.count, into: &output)
        }
        #expect(output.isEmpty)
      }
      for bit in 0..<frame.count * 8 {
        var damaged = frame
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        var output: [UInt8] = []
        do {
          try decompressor.decompress(damaged.span, count: input.count, into: &output)
          #expect(output.count == input.count)
        } catch {
          #expect(output.isEmpty)
        }
      }
      // And the decompressor still works.
      var output: [UInt8] = []
      try decompressor.decompress(frame.span, count: input.count, into: &output)
      #expect(output == input)
    }
  }

  /// A frame that was given up for its size leaves the compressor ready for any other.
  @Test func aFrameGivenUpLeavesNoTrace() throws {
    let compressor = try ZstdCompressor()
    var random = SeededGenerator(seed: 3)
    let noise = [UInt8](randomCount: 10_000, using: &random)
    for mode in [ZstdCompressor.Mode.entropy, .level1, .entropy] {
      var output: [UInt8] = []
      #expect(try compressor.compress(noise.span, into: &output, mode: mode, atMost: 100) == nil)
      #expect(output.isEmpty)
    }
    var output: [UInt8] = []
    try compressor.compress(noise.span, into: &output, mode: .level1)
    var back: [UInt8] = []
    try ZstdDecompressor().decompress(output.span, count: noise.count, into: &back)
    #expect(back == noise)
  }
}
