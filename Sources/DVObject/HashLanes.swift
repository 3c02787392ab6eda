import CSHA256

/// Runs of bytes on their way to their SHA-256, sixteen or two of them at a time.
///
/// Only where ``HashLane/isSupported``.
struct HashLanes {
  /// Whether sixteen at a time can be computed here.
  static let areWide = dv_sha256_sixteen_is_supported() != 0
  private static let width = 16
  /// A step of all sixteen takes as long as one of so many in pairs: with fewer left, pairs are faster.
  private static let widthWorthAll = 9

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

  /// Those that no lane has begun.
  private var waiting: [Part]
  private var ids: [ObjectID?]

  private init(lengths: ArraySlice<Int>) {
    ids = [ObjectID?](repeating: nil, count: lengths.count)
    waiting = []
    waiting.reserveCapacity(lengths.count)
    var start = 0
    for (index, length) in lengths.enumerated() {
      waiting.append(Part(index: index, rest: start..<(start + length)))
      start += length
    }
  }

  /// Returns the digests of runs of bytes that lie one behind the other.
  static func hash(_ bytes: Span<UInt8>, lengths: ArraySlice<Int>, areWide: Bool = areWide) -> [ObjectID] {
    var lanes = HashLanes(lengths: lengths)
    if areWide, lengths.count >= widthWorthAll { lanes.hashSixteenAtATime(bytes) }
    lanes.hashInPairs(bytes)
    return lanes.ids.compactMap(\.self)
  }

  private mutating func finish(_ part: Part, of bytes: Span<UInt8>) { ids[part.index] = part.lane.finish(bytes.extracting(part.rest)) }

  /// Hashes the waiting until so few are left that pairs are faster, and leaves those waiting.
  private mutating func hashSixteenAtATime(_ bytes: Span<UInt8>) {
    // The longest first: then the lanes end together.
    waiting.sort { $0.rest.count < $1.rest.count }
    var parts: [Part] = []
    while true {
      while parts.count < Self.width, let part = waiting.popLast() { parts.append(part) }
      guard parts.count >= Self.widthWorthAll else { break }
      let shared = parts.reduce(Int.max) { min($0, $1.blocks) }
      if shared > 0 { Self.update(&parts, with: shared, of: bytes) }
      for part in parts where part.blocks == 0 { finish(part, of: bytes) }
      parts.removeAll { $0.blocks == 0 }
    }
    waiting = parts
  }

  /// Hashes the next `count` bytes of each of at most sixteen parts.
  private static func update(_ parts: inout [Part], with count: Int, of bytes: Span<UInt8>) {
    var states = SixteenStates(repeating: 0)
    // A lane without a part of its own hashes the first's bytes for nothing.
    var starts = InlineArray<16, Int>(repeating: parts[0].rest.lowerBound)
    for lane in parts.indices {
      parts[lane].lane.copy(to: &states, lane)
      starts[lane] = parts[lane].take(count).lowerBound
      precondition(starts[lane] >= 0 && starts[lane] + count <= bytes.count, "a run beyond the bytes")
    }
    // The pointers are used during the call only, and each run was found to lie within the bytes.
    unsafe bytes.withUnsafeBufferPointer { input in
      guard let base = input.baseAddress else { return }
      var blocks = unsafe InlineArray<16, UnsafePointer<UInt8>?> { unsafe base + starts[$0] }
      var pointers = unsafe blocks.mutableSpan
      var words = states.mutableSpan
      unsafe pointers.withUnsafeMutableBufferPointer { pointers in
        unsafe words.withUnsafeMutableBufferPointer { words in
          unsafe dv_sha256_sixteen(words.baseAddress, pointers.baseAddress, count / HashLane.blockSize)
        }
      }
    }
    for lane in parts.indices { parts[lane].lane.take(states, lane, hashed: count) }
  }

  private mutating func hashInPairs(_ bytes: Span<UInt8>) {
    // One that is longer than what it was paired with goes on with the next.
    var longer: Part?
    for var part in waiting {
      if var partner = longer {
        let shared = min(partner.blocks, part.blocks)
        partner.lane.update(
          blocks: bytes.extracting(partner.take(shared)), and: &part.lane, blocks: bytes.extracting(part.take(shared)))
        longer = partner
        if partner.blocks == 0 {
          finish(partner, of: bytes)
          longer = nil
        }
      }
      if part.blocks == 0 { finish(part, of: bytes) } else { longer = part }
    }
    waiting = []
    guard var last = longer else { return }
    last.lane.update(blocks: bytes.extracting(last.take(last.blocks)))
    finish(last, of: bytes)
  }
}
