/// The names in one directory, in ascending order of their bytes, in a few flat arrays.
///
/// A listing of 100,000 names is four allocations, and it can be filled again for the next directory.
///
/// - Memory: 24 bytes and the name for each entry.
public struct DirectoryListing: Sendable {
  /// What the directory says of a name without looking at the file; `nil` where the file system does not tell.
  public typealias Kind = FileKind?

  struct Entry: Sendable, BitwiseCopyable {
    /// The first eight bytes, big-endian and filled up with zeros, which settle most comparisons.
    let prefix: UInt64
    let offset: Int
    let length: UInt16
    let kind: UInt8
  }

  /// All names, each with a NUL behind it so that it can be handed to the kernel as it is.
  var arena: [UInt8] = []
  var entries: [Entry] = []

  /// Creates an empty listing.
  public init() {}

  public var count: Int { entries.count }
  public var indices: Range<Int> { 0..<entries.count }
  public var isEmpty: Bool { entries.isEmpty }

  /// Returns the name at `index`: at most 255 bytes on Linux's own file systems, up to 765 on those of Windows.
  public func name(at index: Int) -> [UInt8] {
    let entry = entries[index]
    return Array(arena[entry.offset..<entry.offset + Int(entry.length)])
  }

  /// Runs `body` with the name at `index`, without copying it.
  public func withName<R, E: Error>(at index: Int, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    let entry = entries[index]
    return try body(arena.span.extracting(entry.offset..<entry.offset + Int(entry.length)))
  }

  /// Returns what kind of thing the name at `index` was when the directory was read, or `nil` if the file system does
  /// not tell.
  public func kind(at index: Int) -> FileKind? {
    switch entries[index].kind {
    case 8: .regular
    case 4: .directory
    case 10: .symlink
    case 0: nil
    default: .other
    }
  }

  /// Returns where `name` stands, or `nil` if it does not.
  ///
  /// - Complexity: O(log *n*).
  public func index(of name: [UInt8]) -> Int? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      let entry = entries[middle]
      let there = arena[entry.offset..<entry.offset + Int(entry.length)]
      if there.elementsEqual(name) { return middle }
      if there.lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  mutating func removeAll() {
    arena.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
  }

  /// Takes over the names of one filled getdents64 buffer, except `.` and `..`.
  mutating func append(records: UnsafeRawBufferPointer) {
    var position = 0
    while position < records.count {
      // inode u64, offset i64, record length u16, type u8, name, NUL
      let recordLength = Int(unsafe records.loadUnaligned(fromByteOffset: position + 16, as: UInt16.self))
      let kind = unsafe records[position + 18]
      var end = position + 19
      var prefix: UInt64 = 0
      let start = end
      while true {
        let byte = unsafe records[end]
        if byte == 0 { break }
        if end - start < 8 { prefix |= UInt64(byte) << UInt64(56 - 8 * (end - start)) }
        end += 1
      }
      let length = end - start
      let isDot = prefix == 0x2E << 56 && length == 1 || prefix == 0x2E2E << 48 && length == 2
      if !isDot, length > 0 {
        entries.append(Entry(prefix: prefix, offset: arena.count, length: UInt16(length), kind: kind))
        unsafe arena.append(contentsOf: UnsafeRawBufferPointer(rebasing: records[start...end]))
      }
      position += recordLength
    }
  }

  mutating func sort() {
    unsafe arena.withUnsafeBufferPointer { names in
      entries.sort { left, right in
        if left.prefix != right.prefix { return left.prefix < right.prefix }
        var index = 8
        let shared = Int(min(left.length, right.length))
        while index < shared {
          let a = unsafe names[left.offset + index]
          let b = unsafe names[right.offset + index]
          if a != b { return a < b }
          index += 1
        }
        return left.length < right.length
      }
    }
  }
}
