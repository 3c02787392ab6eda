import DVTesting
import Testing

@testable import DVObject

/// Two digests computed together are those computed alone.
@Suite struct ChunkedDigestTests {
  /// However a stream is dealt out to calls and cut into chunks, whole and chunks have the digests that swift-crypto gives.
  @Test(arguments: 0..<24, [true, false])
  func digestsAreThoseOfEachAlone(seed: UInt64, isPaired: Bool) {
    if isPaired, !HashLane.isSupported { return }
    var random = SeededGenerator(seed: seed)
    let bytes = [UInt8](randomCount: Int.random(in: 0...9000, using: &random), using: &random)
    var digest = ChunkedDigest(isPaired: isPaired)
    var (stream, other) = (StreamDigest(isPaired: isPaired), [UInt8]())
    var ids: [ObjectID] = []
    var expected: [ObjectID] = []
    var start = 0
    var carry: [UInt8] = []
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 1...1500, using: &random))
      let piece = Array(bytes[start..<end])
      // Chunks end somewhere in the piece; the first began before it if something was carried.
      var lengths: [Int] = []
      var at = 0
      while true {
        let length = Int.random(in: 1...700, using: &random) + (lengths.isEmpty ? carry.count : 0)
        let used = length - (lengths.isEmpty ? carry.count : 0)
        if at + used > piece.count { break }
        lengths.append(length)
        at += used
      }
      var first: [UInt8]?
      if !carry.isEmpty, let length = lengths.first { first = carry + piece.prefix(length - carry.count) }
      let carried = first == nil ? 0 : carry.count
      if Bool.random(using: &random) {
        ids += digest.update(piece.span, first: first?.span, lengths: lengths, carried: carried)
      } else {
        let block = [UInt8](randomCount: Int.random(in: 0...2000, using: &random), using: &random)
        other += block
        ids += digest.update(piece.span, first: first?.span, lengths: lengths, carried: carried, and: &stream, block.span)
      }
      var chunkStart = 0
      for (index, length) in lengths.enumerated() {
        var chunk: [UInt8] = []
        if index == 0, let first {
          chunk = first
          chunkStart = length - carry.count
        } else {
          chunk += piece[chunkStart..<(chunkStart + length)]
          chunkStart += length
        }
        let bytes = chunk
        let chunkID = reference(bytes.span)
        expected.append(chunkID)
      }
      carry = (lengths.isEmpty ? carry : []) + piece[chunkStart...]
      start = end
    }
    let whole = digest.finish()
    let expectedWhole = reference(bytes.span)
    let expectedOther = reference(other.span)
    #expect(ids == expected)
    #expect(whole == expectedWhole)
    #expect(stream.finish() == expectedOther)
  }

  /// A stream and objects that are not part of it have the digests that swift-crypto gives, whatever their lengths.
  @Test(arguments: 0..<24, [true, false])
  func objectsBesidesAStreamAreHashedApart(seed: UInt64, isPaired: Bool) {
    if isPaired, !HashLane.isSupported { return }
    var random = SeededGenerator(seed: seed)
    var digest = ChunkedDigest(isPaired: isPaired)
    var stream: [UInt8] = []
    for _ in 0..<20 {
      let piece = [UInt8](randomCount: Int.random(in: 0...500, using: &random), using: &random)
      stream += piece
      if Bool.random(using: &random) {
        digest.update(piece.span)
        continue
      }
      let object = [UInt8](randomCount: Int.random(in: 0...900, using: &random), using: &random)
      let id = digest.update(piece.span, besides: object.span)
      let expected = reference(object.span)
      #expect(id == expected)
    }
    let whole = digest.finish()
    let expected = reference(stream.span)
    #expect(whole == expected)
  }

  /// Every length around the edges of blocks pads as FIPS 180-4 says.
  @Test func everyLengthPads() {
    guard HashLane.isSupported else { return }
    let bytes = (0..<260).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for count in 0...260 {
      let message = Array(bytes[..<count])
      var digest = ChunkedDigest(isPaired: true)
      let ids = digest.update(message.span, first: nil, lengths: count == 0 ? [] : [count])
      let whole = digest.finish()
      let expected = reference(message.span)
      #expect(whole == expected)
      #expect(ids == (count == 0 ? [] : [expected]))
    }
  }

  /// Runs that lie one behind the other have the digests that swift-crypto gives, however many there are and however they are computed.
  @Test(arguments: 0..<60, [true, false])
  func runsAreHashedTogether(seed: UInt64, areWide: Bool) {
    guard HashLane.isSupported, HashLanes.areWide || !areWide else { return }
    var random = SeededGenerator(seed: seed)
    let longest = [0, 63, 64, 200, 5000, 70_000].randomElement(using: &random)!
    let lengths = (0..<Int.random(in: 0...60, using: &random)).map { _ in Int.random(in: 0...longest, using: &random) }
    let bytes = [UInt8](randomCount: lengths.reduce(0, +), using: &random)
    let ids = HashLanes.hash(bytes.span, lengths: lengths[...], areWide: areWide)
    var start = 0
    let expected = lengths.map { length in
      defer { start += length }
      return reference(bytes.span.extracting(start..<(start + length)))
    }
    #expect(ids == expected)
  }

  /// Short messages too, which no library hashes.
  @Test func shortMessagesHaveTheirDigest() {
    var random = SeededGenerator(seed: 1)
    for count in Array(0...300) + [4031, 4032, 4095, 4096, 4097, 5000] {
      let message = [UInt8](randomCount: count, using: &random)
      let id = ObjectID(hashing: message.span)
      let expected = reference(message.span)
      #expect(id == expected)
    }
  }

  /// What swift-crypto says.
  private func reference(_ bytes: Span<UInt8>) -> ObjectID {
    var digest = Digest()
    digest.update(bytes)
    return digest.finish()
  }
}
