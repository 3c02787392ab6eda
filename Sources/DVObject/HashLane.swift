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
    var end = InlineArray<128, UInt8>(repeating: 0)
    for index in rest.indices { end[index] = rest[index] }
    end[rest.count] = 0x80
    let size = rest.count < Self.blockSize - 8 ? Self.blockSize : 2 * Self.blockSize
    let bits = (hashed + UInt64(rest.count)) &* 8
    for index in 0..<8 { end[size - 1 - index] = UInt8(truncatingIfNeeded: bits >> UInt64(8 * index)) }
    lane.update(blocks: end.span.extracting(0..<size))
    let words = lane.state
    func pair(_ index: Int) -> UInt64 { UInt64(words[index]) << 32 | UInt64(words[index + 1]) }
    return ObjectID(word0: pair(0), word1: pair(2), word2: pair(4), word3: pair(6))
  }

  /// Returns the digest of `message`.
  static func digest(of message: Span<UInt8>) -> ObjectID {
    var lane = HashLane()
    let blocks = message.count & ~(blockSize - 1)
    if blocks > 0 { lane.update(blocks: message.extracting(0..<blocks)) }
    return lane.finish(message.extracting(blocks...))
  }

  /// Copies the state into column `index` of sixteen states side by side.
  func copy(to states: inout SixteenStates, _ index: Int) {
    for word in 0..<8 { states[16 * word + index] = state[word] }
  }

  /// Takes over column `index` after `count` bytes were hashed into it.
  mutating func take(_ states: borrowing SixteenStates, _ index: Int, hashed count: Int) {
    for word in 0..<8 { state[word] = states[16 * word + index] }
    hashed += UInt64(count)
  }
}

/// Eight words of each of sixteen digests, the first word of all of them first.
typealias SixteenStates = InlineArray<128, UInt32>
