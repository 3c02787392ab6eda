import DVObject
import DVZlib

/// Makes an index segment of entries that come in order.
///
/// Holds the whole segment in memory, 56 bytes an entry.
struct SegmentWriter: ~Copyable {
  private var containers: [IndexContainer] = []
  private var superseded: [IndexSupersession] = []
  private var firstKeys: [UInt64] = []
  private var entryCount = 0
  private var open: [IndexEntry] = []
  private var last: IndexEntry?
  private var blocks: [UInt8] = []

  /// - Parameter expected: entries that will come, if it is known: then room for the whole segment is taken once.
  init(containers: [IndexContainer], superseded: [IndexSupersession] = [], expecting expected: Int = 0) {
    self.containers = containers
    self.superseded = superseded.sorted { $0.id == $1.id ? $0.kind.rawValue < $1.kind.rawValue : $0.id < $1.id }
    open.reserveCapacity(IndexBlock.capacity)
    if expected > 0 { blocks.reserveCapacity(4096 + 96 * containers.count + 58 * expected) }
  }

  /// Adds an entry; the same entry twice is kept once.
  mutating func append(_ entry: IndexEntry) {
    if entry == last { return }
    last = entry
    open.append(entry)
    entryCount += 1
    if open.count == IndexBlock.capacity { closeBlock() }
  }

  private mutating func closeBlock() {
    guard let first = open.first else { return }
    firstKeys.append(first.key.prefix)
    IndexBlock.append(open[...], to: &blocks, crc32: CRC32.checksum)
    open.removeAll(keepingCapacity: true)
  }

  /// Returns the segment's bytes and its name.
  consuming func finish() -> (id: ObjectID, bytes: [UInt8]) {
    closeBlock()
    let head = IndexSegmentHead(
      containers: containers, superseded: superseded, firstKeys: firstKeys, entryCount: entryCount)
    var bytes = blocks
    blocks = []
    bytes.insert(contentsOf: head.encoded(), at: 0)
    return (ObjectID(hashing: bytes.span), bytes)
  }

  /// Returns the segment of `entries`, in any order.
  static func segment(
    of entries: [IndexEntry], containers: [IndexContainer], superseding superseded: [IndexSupersession] = []
  ) -> (id: ObjectID, bytes: [UInt8]) {
    var writer = SegmentWriter(containers: containers, superseded: superseded, expecting: entries.count)
    // Sorted by numbers: an entry is five times as long, and names that begin alike are rare.
    var order = entries.indices.map { (prefix: entries[$0].key.id.prefix64, kind: entries[$0].key.kind.rawValue, index: $0) }
    order.sort { left, right in
      if left.kind != right.kind { return left.kind < right.kind }
      if left.prefix != right.prefix { return left.prefix < right.prefix }
      return IndexEntry.precedes(entries[left.index], entries[right.index])
    }
    for item in order { writer.append(entries[item.index]) }
    return writer.finish()
  }

  /// Returns the segment that says where the objects of `packs` lie.
  ///
  /// - Parameter omitted: objects that are left out.
  static func segment(
    of packs: [SealedPack], omitting omitted: Set<ObjectKey> = []
  ) -> (id: ObjectID, bytes: [UInt8]) {
    var entries: [IndexEntry] = []
    entries.reserveCapacity(packs.reduce(0) { $0 + $1.entries.count })
    for (number, pack) in packs.enumerated() {
      for entry in pack.entries where omitted.isEmpty || !omitted.contains(entry.key) {
        entries.append(IndexEntry(entry, inContainer: number))
      }
    }
    return segment(of: entries, containers: packs.map(\.container))
  }
}

extension IndexEntry {
  /// The order of a segment: by key, then by container and offset.
  static func precedes(_ left: IndexEntry, _ right: IndexEntry) -> Bool {
    if left.key != right.key { return left.key < right.key }
    return left.container == right.container ? left.offset < right.offset : left.container < right.container
  }
}
