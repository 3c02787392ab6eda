import DVTesting
import Testing

@testable import DVObject

/// What kind of content boundaries are tested on.
enum Content: String, CaseIterable, Sendable {
  case random, zero, periodic, text, sparse, dense

  /// Makes `count` bytes of this kind.
  func bytes(_ count: Int, using random: inout SeededGenerator) -> [UInt8] {
    switch self {
    case .random: return [UInt8](randomCount: count, using: &random)
    case .zero: return [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: count)
    case .periodic:
      let period = [UInt8](randomCount: Int.random(in: 2...300, using: &random), using: &random)
      return (0..<count).map { period[$0 % period.count] }
    case .text:
      let words = ["alpha", "bravo", "carrot", "delta", "0.25", "1999-12-31", "\n", ",", " "]
      var bytes: [UInt8] = []
      while bytes.count < count { bytes += words.randomElement(using: &random)!.utf8 }
      return Array(bytes.prefix(count))
    case .sparse:
      // Long runs of zeros with islands.
      var bytes = [UInt8](repeating: 0, count: count)
      for _ in 0..<max(1, count / 4000) { bytes[Int.random(in: 0..<max(1, count), using: &random)] = 9 }
      return bytes
    case .dense:
      // Adversarial: one 64-byte block that ends a chunk, over and over, so that candidates crowd.
      let block = Self.endingBlock(using: &random)
      return (0..<count).map { block[$0 % block.count] }
    }
  }

  /// Random bytes after which a chunk may end under ``limits``.
  private static func endingBlock(using random: inout SeededGenerator) -> [UInt8] {
    while true {
      let block = [UInt8](randomCount: 64, using: &random)
      if GearTests.hash(of: block) < limits.threshold { return block }
    }
  }

  /// Limits small enough that some kilobytes have many chunks.
  static let limits = ChunkLimits(minimum: 64, targetBits: 7, maximum: 512)
}

@Suite struct ChunkerTests {
  /// The definition of the format, word for word and slowly: the lengths of all chunks.
  static func definition(of bytes: [UInt8], _ limits: ChunkLimits) -> [Int] {
    var hashes: [UInt64] = []
    var hash: UInt64 = 0
    for byte in bytes {
      hash = (hash << 1) &+ GearTable.words[Int(byte)]
      hashes.append(hash)
    }
    var lengths: [Int] = []
    var begin = 0
    while begin < bytes.count {
      let last = min(bytes.count, begin + limits.maximum)
      var end = begin + limits.minimum
      while end < last, hashes[end - 1] >> UInt64(64 - limits.targetBits) != 0 { end += 1 }
      end = min(end, last)
      lengths.append(end - begin)
      begin = end
    }
    return lengths
  }

  static func lengths(of bytes: [UInt8], _ limits: ChunkLimits, dealtInto parts: [Int]) -> [Int] {
    var chunker = Chunker(limits: limits)
    var lengths: [Int] = []
    var pending = 0
    var start = 0
    var part = 0
    while start < bytes.count {
      let end = min(bytes.count, start + parts[part % parts.count])
      part += 1
      var rest = bytes.span.extracting(start..<end)
      while let length = chunker.nextBoundary(in: rest) {
        lengths.append(pending + length)
        pending = 0
        rest = rest.extracting(droppingFirst: length)
      }
      pending += rest.count
      #expect(chunker.length == pending)
      start = end
    }
    if pending > 0 { lengths.append(pending) }
    return lengths
  }

  static func parallelLengths(of bytes: [UInt8], _ limits: ChunkLimits, segments cuts: [Int]) -> [Int] {
    var resolver = ChunkResolver(limits: limits)
    var lengths: [Int] = []
    for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
      let candidates = ChunkCandidates(
        in: bytes.span.extracting(start..<end), after: bytes.span.extracting(max(0, start - 100)..<start), limits: limits)
      resolver.resolve(candidates) { lengths.append($0) }
    }
    if let last = resolver.finish() { lengths.append(last) }
    return lengths
  }

  /// However the bytes are dealt out to calls and to segments, the boundaries are those of the definition.
  @Test(arguments: Content.allCases, 0..<40)
  func boundariesDependOnContentAlone(content: Content, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let limits = [
      Content.limits, ChunkLimits(minimum: 100, targetBits: 5, maximum: 101), ChunkLimits(minimum: 65, targetBits: 12, maximum: 5000),
    ][Int(seed) % 3]
    let bytes = content.bytes(Int.random(in: 0...20_000, using: &random), using: &random)
    let expected = Self.definition(of: bytes, limits)

    #expect(Self.lengths(of: bytes, limits, dealtInto: [max(1, bytes.count)]) == expected)
    let parts = (0..<40).map { _ in Int.random(in: 1...997, using: &random) }
    #expect(Self.lengths(of: bytes, limits, dealtInto: parts) == expected)
    #expect(Self.lengths(of: bytes, limits, dealtInto: [1]) == expected)
    #expect(Self.lengths(of: bytes, limits, dealtInto: [1, 0, 63, 64, 65]) == expected)
    for segments in [1, 2, 3, 8, 64] {
      let cuts = (1..<segments).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
      #expect(Self.parallelLengths(of: bytes, limits, segments: cuts) == expected)
    }
  }

  /// The same at the size and with the limits of real use.
  @Test(arguments: Content.allCases)
  func standardBoundaries(content: Content) {
    var random = SeededGenerator(seed: 3)
    let bytes = content.bytes(1_500_000, using: &random)
    let expected = Self.definition(of: bytes, .standard)
    #expect(Self.lengths(of: bytes, .standard, dealtInto: [bytes.count]) == expected)
    #expect(Self.lengths(of: bytes, .standard, dealtInto: [4096, 1, 65_535, 300_000]) == expected)
    #expect(Self.parallelLengths(of: bytes, .standard, segments: [1000, 400_000, 400_001, 1_499_999]) == expected)
  }

  /// Table and limits are frozen format.
  @Test func goldenBoundaries() {
    #expect(ChunkLimits.standard == ChunkLimits(minimum: 16_384, targetBits: 15, maximum: 262_144))
    var random = SeededGenerator(seed: 1)
    let bytes = [UInt8](randomCount: 8 << 20, using: &random)
    var end = 0
    let ends = Self.lengths(of: bytes, .standard, dealtInto: [1 << 20]).map { length in
      end += length
      return end
    }
    #expect(ends == GoldenBoundaries.ends)
    // Small contents, where the minimum alone decides: one chunk up to it, for it ends with the file.
    #expect(Self.lengths(of: Array(bytes.prefix(16_384)), .standard, dealtInto: [1000]) == [16_384])
    #expect(Self.lengths(of: [UInt8](repeating: 0, count: 600_000), .standard, dealtInto: [600_000]) == [262_144, 262_144, 75_712])
  }

  /// After an edit, the chunks are soon those of before.
  @Test(arguments: 0..<20)
  func editsStayLocal(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let bytes = [UInt8](randomCount: 60_000, using: &random)
    var edited = bytes
    let place = Int.random(in: 0..<40_000, using: &random)
    edited.insert(contentsOf: [1, 2, 3], at: place)
    // Boundaries after the edit, counted from the end of the file, where nothing moved.
    func ends(_ bytes: [UInt8]) -> Set<Int> {
      var left = bytes.count
      let all = Self.definition(of: bytes, Content.limits).map { length in
        left -= length
        return left
      }
      return Set(all.filter { $0 < 60_000 - place })
    }
    let lost = ends(bytes).subtracting(ends(edited))
    #expect(lost.count <= 12)
  }

  @Test func emptyAndShortContent() {
    var chunker = Chunker()
    #expect(chunker.nextBoundary(in: [UInt8]().span) == nil)
    #expect(chunker.length == 0)
    #expect(chunker.nextBoundary(in: [1, 2, 3].span) == nil)
    #expect(chunker.length == 3)
    var resolver = ChunkResolver()
    #expect(resolver.finish() == nil)
  }
}
