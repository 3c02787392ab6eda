import DVBackend
import DVObject

extension LoadedSegment {
  /// Calls `found` with every entry of many keys.
  ///
  /// Costs the shorter of the two lists: a small segment's entries are looked for among the keys. Of a segment that is
  /// not in memory, blocks that lie close together are read at once.
  ///
  /// - Parameter keys: in ascending order, none twice.
  func forEachEntry(
    of keys: [ObjectKey], from backend: some Backend, _ found: (_ index: Int, IndexEntry) -> Void
  ) async throws(StoreError) {
    guard !keys.isEmpty else { return }
    if head.entryCount < keys.count / 8 {
      try await forEachEntry(from: backend) { entry throws(StoreError) in
        let index = keys.firstIndex(notBefore: entry.key)
        if index < keys.count, keys[index] == entry.key { found(index, entry) }
      }
      return
    }
    var window = BlockWindow(segment: self)
    for index in keys.indices {
      for number in head.blocks(for: keys[index]) {
        let block = try await window.block(number, for: keys, from: index, backend)
        do {
          for entry in try block.entries(of: keys[index], in: head.containers) { found(index, entry) }
        } catch {
          throw damaged(error, backend)
        }
      }
    }
  }
}

/// The blocks of a segment around the one that was asked for last.
private struct BlockWindow {
  let segment: LoadedSegment
  private var start = 0
  private var blocks: [IndexBlock] = []

  /// Blocks read at once: 1 MiB.
  private static let limit = 256
  /// The most blocks between two wanted ones that are read for nothing.
  private static let gap = 8

  init(segment: LoadedSegment) { self.segment = segment }

  /// Returns a block, reading those that the keys from `index` on need soon along with it.
  mutating func block(
    _ number: Int, for keys: [ObjectKey], from index: Int, _ backend: some Backend
  ) async throws(StoreError) -> IndexBlock {
    if segment.isInMemory { return try await segment.block(number, from: backend) }
    if !(start..<(start + blocks.count)).contains(number) {
      var end = number + 1
      for key in keys[index...] {
        let wanted = segment.head.blocks(for: key)
        guard wanted.upperBound <= number + Self.limit, wanted.lowerBound <= end + Self.gap else { break }
        end = max(end, wanted.upperBound)
      }
      blocks = try await segment.readBlocks(number..<end, from: backend)
      start = number
    }
    return blocks[number - start]
  }
}

extension [ObjectKey] {
  /// Where the first key is that does not come before `key`.
  ///
  /// - Complexity: O(log *n*); the keys are in ascending order.
  func firstIndex(notBefore key: ObjectKey) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
