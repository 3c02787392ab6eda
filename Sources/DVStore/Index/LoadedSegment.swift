import DVBackend
import DVObject
import DVZlib
import Synchronization

/// An index segment that can be asked.
///
/// A small segment is held whole in memory, checked against its name when it was read. Of a large one only the head is
/// held (8 bytes for 73 entries); a question reads one block of 4 KiB, checked by its CRC.
final class LoadedSegment: Sendable {
  let id: ObjectID
  let level: Int
  let key: BackendKey
  let head: IndexSegmentHead
  /// The blocks, if they are in memory.
  private let blocks: [IndexBlock]?

  /// Whether asking costs no read.
  var isInMemory: Bool { blocks != nil }

  /// Segments up to this size are held whole unless told otherwise, in bytes.
  static let wholeLimit: UInt64 = 8 << 20

  private init(id: ObjectID, level: Int, head: IndexSegmentHead, blocks: [IndexBlock]?) {
    self.id = id
    self.level = level
    key = StoreLayout.segment(id, level: level)
    self.head = head
    self.blocks = blocks
  }

  /// Makes a segment of all its bytes, which it keeps if they are few.
  convenience init(id: ObjectID, level: Int, bytes: [UInt8], wholeLimit: UInt64) throws(PackFormatError) {
    let head = try IndexSegmentHead(decoding: bytes.span)
    guard UInt64(bytes.count) == head.segmentByteCount else { throw .truncated("the blocks") }
    if UInt64(bytes.count) > wholeLimit {
      self.init(id: id, level: level, head: head, blocks: nil)
      return
    }
    var blocks: [IndexBlock] = []
    blocks.reserveCapacity(head.firstKeys.count)
    for index in head.firstKeys.indices {
      let start = head.byteCount + index * IndexBlock.byteCount
      let block = Array(bytes[start..<(start + IndexBlock.byteCount)])
      blocks.append(try IndexBlock(decoding: block, crc32: CRC32.checksum))
    }
    self.init(id: id, level: level, head: head, blocks: blocks)
  }

  /// Reads a segment, whole if it is small.
  ///
  /// - Returns: `nil` if it is gone, as when it was merged meanwhile.
  static func load(
    id: ObjectID, level: Int, size: UInt64, from backend: some Backend, wholeLimit: UInt64
  ) async throws(StoreError) -> LoadedSegment? {
    let key = StoreLayout.segment(id, level: level)
    do {
      if size <= wholeLimit {
        guard let bytes = try await backend.get(key) else { return nil }
        guard ObjectID(hashing: bytes.span) == id else { throw PackFormatError.damaged("the segment") }
        return try LoadedSegment(id: id, level: level, bytes: bytes, wholeLimit: wholeLimit)
      }
      guard let fixed = try await backend.get(key, range: 0..<64) else { return nil }
      let count = try IndexSegmentHead.byteCount(fixed: fixed.span)
      guard UInt64(count) <= size else { throw PackFormatError.truncated("the head") }
      guard let bytes = try await backend.get(key, range: 0..<UInt64(count)) else { return nil }
      let head = try IndexSegmentHead(decoding: bytes.span)
      guard head.segmentByteCount == size else { throw PackFormatError.truncated("the blocks") }
      return LoadedSegment(id: id, level: level, head: head, blocks: nil)
    } catch let error as BackendError {
      throw StoreError(error)
    } catch {
      throw StoreError(.corrupt, "Index segment '\(key)' of \(backend.description): \(error).", cause: error)
    }
  }

  /// Whether the segment holds `key`, or `nil` if that takes a read.
  func containsWithoutReading(_ key: ObjectKey) -> Bool? {
    let range = head.blocks(for: key)
    if range.isEmpty { return false }
    guard let blocks else { return nil }
    return range.contains { blocks[$0].contains(key) }
  }

  /// Returns the entries of `key`.
  func entries(of key: ObjectKey, from backend: some Backend) async throws(StoreError) -> [IndexEntry] {
    var found: [IndexEntry] = []
    for index in head.blocks(for: key) {
      let block = try await block(index, from: backend)
      do { found += try block.entries(of: key, in: head.containers) } catch { throw damaged(error, backend) }
    }
    return found
  }

  /// Calls `body` with every entry in order, reading 64 blocks at a time.
  func forEachEntry(
    from backend: some Backend, _ body: (IndexEntry) throws(StoreError) -> Void
  ) async throws(StoreError) {
    var reader = EntryReader(segment: self)
    while let entry = try await reader.next(from: backend) { try body(entry) }
  }

  func block(_ index: Int, from backend: some Backend) async throws(StoreError) -> IndexBlock {
    if let blocks { return blocks[index] }
    return try await readBlocks(index..<(index + 1), from: backend)[0]
  }

  func readBlocks(_ range: Range<Int>, from backend: some Backend) async throws(StoreError) -> [IndexBlock] {
    if let blocks { return Array(blocks[range]) }
    let start = UInt64(head.byteCount) + UInt64(range.lowerBound) * UInt64(IndexBlock.byteCount)
    let end = start + UInt64(range.count) * UInt64(IndexBlock.byteCount)
    do {
      guard let bytes = try await backend.get(key, range: start..<end) else {
        throw StoreError(.missing, "Index segment '\(key)' of \(backend.description) is gone.")
      }
      var blocks: [IndexBlock] = []
      for part in stride(from: 0, to: bytes.count, by: IndexBlock.byteCount) {
        blocks.append(
          try IndexBlock(decoding: Array(bytes[part..<(part + IndexBlock.byteCount)]), crc32: CRC32.checksum))
      }
      return blocks
    } catch let error as StoreError {
      throw error
    } catch let error as BackendError where error.code != .corrupt {
      throw StoreError(error)
    } catch {
      throw damaged(error, backend)
    }
  }

  /// The failure of a segment whose block or entry is damaged.
  func damaged(_ error: any Error, _ backend: some Backend) -> StoreError {
    let message = "Index segment '\(key)' of \(backend.description): \(error)."
    return StoreError(.corrupt, message, cause: DamagedBlock(segment: DamagedSegment(self, message: message)))
  }
}

/// Goes through a segment's entries in order, 64 blocks (256 KiB) at a time.
struct EntryReader {
  let segment: LoadedSegment
  private var nextBlock = 0
  private var blocks: [IndexBlock] = []
  private var block = 0
  private var entry = 0

  init(segment: LoadedSegment) { self.segment = segment }

  mutating func next(from backend: some Backend) async throws(StoreError) -> IndexEntry? {
    while true {
      if block < blocks.count, entry < blocks[block].count {
        defer { entry += 1 }
        do { return try blocks[block].entry(at: entry, in: segment.head.containers) } catch {
          throw segment.damaged(error, backend)
        }
      }
      entry = 0
      block += 1
      if block < blocks.count { continue }
      guard nextBlock < segment.head.firstKeys.count else { return nil }
      let end = min(nextBlock + 64, segment.head.firstKeys.count)
      blocks = try await segment.readBlocks(nextBlock..<end, from: backend)
      nextBlock = end
      block = 0
    }
  }
}
