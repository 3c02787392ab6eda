import DVFile
import DVObject
import DVZlib
import SystemPackage

/// A pack under construction.
///
/// The file layer writes blocks of 4 MiB from a thread of its own and feeds the digest there, so that neither the disk
/// nor the pack's SHA-256 holds up those who hash and compress.
struct OpenPack: Sendable {
  private let file: BlockFile
  /// Of the file: whoever hashes something else may take its next block along.
  let running: RunningDigest
  private(set) var entries: [PackTableEntry] = []
  private(set) var length: Int

  /// Packs are closed when they have this many bytes.
  static let target = 64 << 20
  /// And when they have this many entries, so that a table stays small: 9 MiB.
  static let entryLimit = 200_000

  init(in scratch: FilePath) throws(StoreError) {
    let running = RunningDigest()
    self.running = running
    do throws(FileError) {
      file = try BlockFile(temporaryIn: scratch) { block, isLast in running.update(block, isLast: isLast) }
      let header = PackHeader().encoded()
      try file.append(header.span)
      length = header.count
    } catch {
      throw StoreError(error)
    }
  }

  var isFull: Bool { length >= Self.target || entries.count >= Self.entryLimit }

  /// Adds an object's stored bytes.
  mutating func append(
    _ key: ObjectKey, codec: Codec, stored: Span<UInt8>, length objectLength: Int
  ) throws(StoreError) {
    try append(EncodedHeader(PackEntryHeader(key: key, codec: codec, storedLength: stored.count, length: objectLength)), stored)
  }

  /// Adds an object whose header is made already.
  mutating func append(_ header: EncodedHeader, _ stored: Span<UInt8>) throws(StoreError) {
    do throws(FileError) {
      try file.append(header.bytes.span)
      try file.append(stored)
    } catch {
      throw StoreError(error)
    }
    entries.append(PackTableEntry(header: header.fields, offset: length + header.bytes.count))
    length += header.bytes.count + stored.count
  }

  /// An entry's header and its bytes, made before the pack is locked.
  struct EncodedHeader {
    let fields: PackEntryHeader
    let bytes: [UInt8]

    init(_ fields: PackEntryHeader) {
      self.fields = fields
      var bytes: [UInt8] = []
      bytes.reserveCapacity(PackEntryHeader.byteCount)
      fields.append(to: &bytes, crc32: CRC32.checksum)
      self.bytes = bytes
    }
  }

  /// Writes table and trailer and makes the file durable. Blocks until the disk has it.
  ///
  /// - Returns: the pack, at a temporary path.
  func seal() throws(StoreError) -> SealedPack {
    let table = PackTable(entries: entries).encoded(at: UInt64(length))
    do throws(FileError) {
      try file.append(table.span)
      try file.finish()
    } catch {
      throw StoreError(error)
    }
    return SealedPack(
      id: running.finish(), size: UInt64(length + table.count), entries: entries, path: file.path)
  }

  /// Removes the file.
  func discard() { file.discard() }
}

/// A complete, durable pack, still under a temporary name.
struct SealedPack: Sendable {
  let id: ObjectID
  /// Size in bytes.
  let size: UInt64
  let entries: [PackTableEntry]
  let path: FilePath

  var container: IndexContainer { IndexContainer(kind: .pack, id: id, size: size) }
}
