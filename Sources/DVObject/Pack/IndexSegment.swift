/// The head of an index segment: everything but the entries.
///
/// A segment is an immutable file, named by the SHA-256 of its bytes, that says where objects lie. Its entries are
/// sorted by key (kind, then ID; an object in two places has two entries, in order of container and offset) and cut
/// into blocks of 4,096 bytes, so that a reader of a large segment loads the head and then one block per question.
///
/// The head, integers big-endian, padded with zeros to a multiple of 4,096 bytes:
///
///     offset  size  meaning
///          0     8  magic `dv-index`
///          8     2  version, 1
///         10     2  required features, 0
///         12     4  number of containers, c
///         16     4  number of superseded files, s
///         20     4  number of blocks, b
///         24     8  number of entries
///         32    32  SHA-256 of the 32 bytes before and of all the tables behind
///         64  48·c  containers: ID 32, size 8, kind 1, zeros 7
///             40·s  superseded: ID 32, kind 1, zeros 7
///              8·b  first key of each block: kind, then the first 7 bytes of the ID
///
/// Superseded files are in ascending order of ID and kind; containers in the order in which they got their numbers.
public struct IndexSegmentHead: Sendable {
  public static let fixedByteCount = 64
  public static let magic: [UInt8] = Array("dv-index".utf8)
  public static let version: UInt16 = 1
  /// The most a reader accepts of each, so that a hostile head cannot take the memory: 16 M containers of 64 MiB are a
  /// pebibyte.
  public static let countLimit = 1 << 24

  public let containers: [IndexContainer]
  public let superseded: [IndexSupersession]
  /// The prefix of each block's first key, ascending.
  public let firstKeys: [UInt64]
  public let entryCount: Int

  public init(containers: [IndexContainer], superseded: [IndexSupersession], firstKeys: [UInt64], entryCount: Int) {
    self.containers = containers
    self.superseded = superseded
    self.firstKeys = firstKeys
    self.entryCount = entryCount
  }

  /// Size of the padded head in bytes: where the first block begins.
  public var byteCount: Int {
    Self.byteCount(containers: containers.count, superseded: superseded.count, blocks: firstKeys.count)
  }

  static func byteCount(containers: Int, superseded: Int, blocks: Int) -> Int {
    let exact = fixedByteCount + 48 * containers + 40 * superseded + 8 * blocks
    return (exact + IndexBlock.byteCount - 1) / IndexBlock.byteCount * IndexBlock.byteCount
  }

  /// Size of the whole segment in bytes.
  public var segmentByteCount: UInt64 { UInt64(byteCount) + UInt64(firstKeys.count) * UInt64(IndexBlock.byteCount) }

  /// Returns the head's bytes, padded.
  public func encoded() -> [UInt8] {
    var fixed = Self.magic
    fixed.append(bigEndian: Self.version)
    fixed.append(bigEndian: UInt16(0))
    fixed.append(bigEndian: UInt32(containers.count))
    fixed.append(bigEndian: UInt32(superseded.count))
    fixed.append(bigEndian: UInt32(firstKeys.count))
    fixed.append(bigEndian: UInt64(entryCount))
    var tables: [UInt8] = []
    tables.reserveCapacity(byteCount)
    for container in containers {
      container.id.append(to: &tables)
      tables.append(bigEndian: container.size)
      tables.append(bigEndian: UInt64(container.kind.rawValue) << 56)
    }
    for file in superseded {
      file.id.append(to: &tables)
      tables.append(bigEndian: UInt64(file.kind.rawValue) << 56)
    }
    for key in firstKeys { tables.append(bigEndian: key) }
    var digest = Digest()
    digest.update(fixed.span)
    digest.update(tables.span)
    digest.finish().append(to: &fixed)
    fixed.append(contentsOf: tables)
    fixed.append(contentsOf: [UInt8](repeating: 0, count: byteCount - fixed.count))
    return fixed
  }

  /// How many bytes the padded head has, read from the segment's first 64.
  public static func byteCount(fixed bytes: Span<UInt8>) throws(PackFormatError) -> Int {
    guard bytes.count >= fixedByteCount else { throw .truncated("the head") }
    guard bytes.starts(with: magic) else { throw .notAnIndex }
    let version = bytes.bigEndian(UInt16.self, at: 8)
    guard version == Self.version else { throw .unknownVersion(version) }
    let features = bytes.bigEndian(UInt16.self, at: 10)
    guard features == 0 else { throw .unknownFeatures(features) }
    let counts = (
      Int(bytes.bigEndian(UInt32.self, at: 12)), Int(bytes.bigEndian(UInt32.self, at: 16)),
      Int(bytes.bigEndian(UInt32.self, at: 20))
    )
    guard counts.0 <= countLimit, counts.1 <= countLimit, counts.2 <= countLimit else { throw .damaged("the head") }
    return byteCount(containers: counts.0, superseded: counts.1, blocks: counts.2)
  }

  /// Reads a padded head.
  public init(decoding bytes: Span<UInt8>) throws(PackFormatError) {
    let size = try Self.byteCount(fixed: bytes)
    guard bytes.count >= size else { throw .truncated("the head") }
    let containerCount = Int(bytes.bigEndian(UInt32.self, at: 12))
    let supersededCount = Int(bytes.bigEndian(UInt32.self, at: 16))
    let blockCount = Int(bytes.bigEndian(UInt32.self, at: 20))
    let entries = bytes.bigEndian(UInt64.self, at: 24)
    let end = Self.fixedByteCount + 48 * containerCount + 40 * supersededCount + 8 * blockCount
    var digest = Digest()
    digest.update(bytes.extracting(0..<32))
    digest.update(bytes.extracting(Self.fixedByteCount..<end))
    var expected: [UInt8] = []
    digest.finish().append(to: &expected)
    guard bytes.extracting(32..<64).starts(with: expected), entries <= UInt64(blockCount) * UInt64(IndexBlock.capacity)
    else { throw .damaged("the head") }
    for index in end..<size where bytes[index] != 0 { throw .damaged("the head") }
    var at = Self.fixedByteCount
    var containers: [IndexContainer] = []
    containers.reserveCapacity(containerCount)
    for _ in 0..<containerCount {
      let kind = IndexContainer.Kind(rawValue: bytes[at + 40])
      guard let kind, bytes.bigEndian(UInt64.self, at: at + 40) << 8 == 0, let id = try? ObjectID(bytes: bytes.extracting(at..<(at + 32))) else {
        throw .damaged("the table of containers")
      }
      containers.append(IndexContainer(kind: kind, id: id, size: bytes.bigEndian(UInt64.self, at: at + 32)))
      at += 48
    }
    var superseded: [IndexSupersession] = []
    superseded.reserveCapacity(supersededCount)
    for _ in 0..<supersededCount {
      let kind = IndexSupersession.Kind(rawValue: bytes[at + 32])
      guard let kind, bytes.bigEndian(UInt64.self, at: at + 32) << 8 == 0, let id = try? ObjectID(bytes: bytes.extracting(at..<(at + 32))) else {
        throw .damaged("the table of superseded files")
      }
      superseded.append(IndexSupersession(kind: kind, id: id))
      at += 40
    }
    var firstKeys: [UInt64] = []
    firstKeys.reserveCapacity(blockCount)
    for _ in 0..<blockCount {
      let key = bytes.bigEndian(UInt64.self, at: at)
      guard key >= firstKeys.last ?? 0 else { throw .damaged("the table of blocks") }
      firstKeys.append(key)
      at += 8
    }
    self.init(
      containers: containers, superseded: superseded, firstKeys: firstKeys, entryCount: Int(entries))
  }

  /// The blocks that may hold `key`: usually one, none if the key sorts before all.
  ///
  /// - Complexity: O(log *b*) in the number of blocks.
  public func blocks(for key: ObjectKey) -> Range<Int> {
    let prefix = key.prefix
    // A block that begins with this very prefix may hold it, and so may the block before, whose last keys can share it.
    let low = partition { $0 < prefix }
    var high = low
    while high < firstKeys.count, firstKeys[high] == prefix { high += 1 }
    return max(0, low - 1)..<high
  }

  /// The number of leading blocks whose first key satisfies `belongs`, by binary search.
  private func partition(_ belongs: (UInt64) -> Bool) -> Int {
    var low = 0
    var high = firstKeys.count
    while low < high {
      let middle = (low + high) / 2
      if belongs(firstKeys[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
