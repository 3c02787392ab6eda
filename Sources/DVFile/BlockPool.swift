/// Blocks of one size that are used again and again: a fresh one costs a page fault for every 4 KiB.
final class BlockPool: Sendable {
  private let size: Int
  private let limit: Int
  private let idle = Monitor<[AlignedBuffer]>([])

  /// - Parameters:
  ///   - size: of a block, in bytes.
  ///   - limit: how many are kept at most while nobody needs them.
  init(size: Int, limit: Int) {
    self.size = size
    self.limit = limit
  }

  /// Returns a block that nobody else has; what is in it is whatever was there before.
  func take() -> AlignedBuffer {
    idle.withLock(waking: .nobody) { $0.popLast() } ?? AlignedBuffer(capacity: size)
  }

  /// Takes back blocks that nobody uses any more.
  func give(_ blocks: [AlignedBuffer]) {
    idle.withLock(waking: .nobody) { idle in idle += blocks.prefix(max(0, limit - idle.count)) }
  }
}
