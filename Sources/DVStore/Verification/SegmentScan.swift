import DVBackend
import DVObject
import DVZlib

/// What reading every byte of an index segment showed.
struct SegmentScan: Sendable {
  let key: BackendKey
  let level: Int
  let id: ObjectID
  /// Why it cannot be relied on; `nil` if it is whole.
  private(set) var problem: String?
  private(set) var head: IndexSegmentHead?
  private(set) var entryCount = 0
  /// Whether it is gone, as when it was merged meanwhile.
  private(set) var isGone = false

  /// Blocks read at a time: 4 MiB.
  private static let step = 1024

  /// Reads a segment, 4 MiB at a time.
  init(_ entry: BackendEntry, level: Int, id: ObjectID, of backend: any Backend) async throws(StoreError) {
    key = entry.key
    self.level = level
    self.id = id
    do {
      try await read(entry.size, from: backend)
    } catch let error as PackFormatError {
      problem = error.description
    } catch let error as BackendError {
      guard error.code == .corrupt else { throw StoreError(error) }
      problem = error.message
    } catch {
      throw StoreError(.other, "\(error)", cause: error)
    }
  }

  private mutating func read(_ size: UInt64, from backend: any Backend) async throws {
    var digest = Digest()
    guard size >= UInt64(IndexSegmentHead.fixedByteCount) else { throw PackFormatError.truncated("the head") }
    guard let fixed = try await backend.get(key, range: 0..<UInt64(IndexSegmentHead.fixedByteCount)) else {
      isGone = true
      return
    }
    let headLength = try IndexSegmentHead.byteCount(fixed: fixed.span)
    guard UInt64(headLength) <= size else { throw PackFormatError.truncated("the head") }
    guard let bytes = try await backend.get(key, range: 0..<UInt64(headLength)) else {
      isGone = true
      return
    }
    let head = try IndexSegmentHead(decoding: bytes.span)
    guard head.segmentByteCount == size else { throw PackFormatError.truncated("the blocks") }
    self.head = head
    digest.update(bytes.span)
    var last: IndexEntry?
    for start in stride(from: 0, to: head.firstKeys.count, by: Self.step) {
      let end = min(start + Self.step, head.firstKeys.count)
      let from = UInt64(headLength) + UInt64(start) * UInt64(IndexBlock.byteCount)
      let to = UInt64(headLength) + UInt64(end) * UInt64(IndexBlock.byteCount)
      guard let bytes = try await backend.get(key, range: from..<to) else {
        isGone = true
        return
      }
      digest.update(bytes.span)
      for number in start..<end {
        let at = (number - start) * IndexBlock.byteCount
        let block = try IndexBlock(decoding: Array(bytes[at..<(at + IndexBlock.byteCount)]), crc32: CRC32.checksum)
        try check(block, number, of: head, &last)
      }
    }
    guard entryCount == head.entryCount else { throw PackFormatError.damaged("the number of entries") }
    guard digest.finish() == id else { throw PackFormatError.damaged("its bytes, which are not those its name says") }
  }

  private mutating func check(
    _ block: IndexBlock, _ number: Int, of head: IndexSegmentHead, _ last: inout IndexEntry?
  ) throws(PackFormatError) {
    guard number == head.firstKeys.count - 1 ? block.count > 0 : block.count == IndexBlock.capacity else {
      throw .damaged("block \(number)")
    }
    for index in 0..<block.count {
      let entry = try block.entry(at: index, in: head.containers)
      if index == 0, entry.key.prefix != head.firstKeys[number] { throw .damaged("the table of blocks") }
      if let last, !IndexEntry.precedes(last, entry) { throw .damaged("the order of block \(number)") }
      last = entry
      entryCount += 1
    }
  }
}
