import CSHA256

/// A SHA-256 under way whose blocks can be computed together with another's.
///
/// Only where ``isSupported``. FIPS 180-4: blocks of 64 bytes into eight words; the message ends with a 1 bit, zeros and its
/// length in bits.
struct HashLane: Sendable {
  static let isSupported = dv_sha256_is_supported() != 0
  static let blockSize = 64

  private var state: InlineArray<8, UInt32>
  /// Bytes hashed in whole blocks.
  private var hashed: UInt64 = 0

  init() {
    // The first 32 bits of the fractional parts of the square roots of the first eight primes.
    state = [
      0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
  }

  /// Hashes `bytes`, which are whole blocks.
  mutating func update(blocks bytes: Span<UInt8>) {
    precondition(bytes.count % Self.blockSize == 0, "only whole blocks")
    // The pointers are used during the call only.
    unsafe bytes.withUnsafeBufferPointer { input in
      guard let start = input.baseAddress else { return }
      var span = state.mutableSpan
      unsafe span.withUnsafeMutableBufferPointer { words in
        unsafe dv_sha256_blocks(words.baseAddress, start, input.count / Self.blockSize)
      }
    }
    hashed += UInt64(bytes.count)
  }

  /// Hashes `first` into this and `second` into another, at less than the price of two: equally many whole blocks each.
  mutating func update(blocks first: Span<UInt8>, and other: inout HashLane, blocks second: Span<UInt8>) {
    precondition(first.count == second.count && first.count % Self.blockSize == 0, "only whole blocks, equally many")
    unsafe first.withUnsafeBufferPointer { firstInput in
      unsafe second.withUnsafeBufferPointer { secondInput in
        guard let firstStart = firstInput.baseAddress, let secondStart = secondInput.baseAddress else { return }
        var words = state.mutableSpan
        var otherWords = other.state.mutableSpan
        unsafe words.withUnsafeMutableBufferPointer { words in
          unsafe otherWords.withUnsafeMutableBufferPointer { otherWords in
            unsafe dv_sha256_two(
              words.baseAddress, firstStart, otherWords.baseAddress, secondStart, firstInput.count / Self.blockSize)
          }
        }
      }
    }
    hashed += UInt64(first.count)
    other.hashed += UInt64(second.count)
  }

  /// Returns the digest of all blocks and of `rest`, which is less than one.
  func finish(_ rest: Span<UInt8>) -> ObjectID {
    precondition(rest.count < Self.blockSize, "whole blocks go into update")
    var lane = self
    var end: [UInt8] = []
    end.append(span: rest)
    end.append(0x80)
    while end.count % Self.blockSize != Self.blockSize - 8 { end.append(0) }
    end.append(bigEndian: (hashed + UInt64(rest.count)) &* 8)
    lane.update(blocks: end.span)
    let words = lane.state
    func pair(_ index: Int) -> UInt64 { UInt64(words[index]) << 32 | UInt64(words[index + 1]) }
    return ObjectID(word0: pair(0), word1: pair(2), word2: pair(4), word3: pair(6))
  }

  /// Returns the digests of runs of bytes that lie one behind the other, two of them computed at a time.
  static func hash(_ bytes: Span<UInt8>, lengths: ArraySlice<Int>) -> [ObjectID] {
    var ids = [ObjectID?](repeating: nil, count: lengths.count)
    var start = 0
    // One that is longer than what it was paired with waits for the next.
    var waiting: Part?
    for (index, length) in lengths.enumerated() {
      var part = Part(index: index, rest: start..<(start + length))
      start += length
      if var partner = waiting {
        let shared = min(partner.blocks, part.blocks)
        partner.lane.update(blocks: bytes.extracting(partner.take(shared)), and: &part.lane, blocks: bytes.extracting(part.take(shared)))
        waiting = partner
        if partner.blocks == 0 {
          ids[partner.index] = partner.lane.finish(bytes.extracting(partner.rest))
          waiting = nil
        }
      }
      if part.blocks == 0 { ids[index] = part.lane.finish(bytes.extracting(part.rest)) } else { waiting = part }
    }
    if var last = waiting {
      last.lane.update(blocks: bytes.extracting(last.take(last.blocks)))
      ids[last.index] = last.lane.finish(bytes.extracting(last.rest))
    }
    return ids.compactMap(\.self)
  }

  /// A run of bytes whose first blocks are hashed.
  private struct Part {
    var lane = HashLane()
    let index: Int
    var rest: Range<Int>

    /// Bytes in the whole blocks that are left.
    var blocks: Int { rest.count & ~(HashLane.blockSize - 1) }

    /// Takes the next `count` bytes off.
    mutating func take(_ count: Int) -> Range<Int> {
      defer { rest = (rest.lowerBound + count)..<rest.upperBound }
      return rest.lowerBound..<(rest.lowerBound + count)
    }
  }
}
