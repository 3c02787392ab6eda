import DVObject

/// The file of a stat cache. See `docs/format/stat-cache.md`.
///
///     offset  size  meaning
///          0     8  `dv-stat` and a line feed
///          8     4  version, 1
///         12     4  1 if `saved` is meant, else 0
///         16     8  device of a tracked file
///         24     8  how many directories (D)
///         32     8  how many entries (N)
///         40     8  how many bytes the names take (M)
///         48    32  saved oid
///         80    32  digest of the ignore rules
///        112   112  each directory, D times
///                72  each entry, N times
///                 M  names
///                32  SHA-256 of all before
///
/// Integers are in the machine's byte order, an oid is four 64-bit integers, most significant first: the file is the
/// memory. It never leaves the machine, and on one of the other byte order the version does not read as 1.
extension StatCache {
  static let version: UInt32 = 1
  private static let magic: [UInt8] = Array("dv-stat\n".utf8)

  /// The first 112 bytes.
  private struct Header: BitwiseCopyable {
    var magic: UInt64
    var version: UInt32
    var hasSaved: UInt32
    var device: UInt64
    var directories: UInt64
    var entries: UInt64
    var names: UInt64
    var saved: ObjectID
    var rules: ObjectID
  }

  /// Returns the bytes of the file.
  public func encoded() -> [UInt8] {
    var header = Header(
      magic: 0, version: Self.version, hasSaved: saved == nil ? 0 : 1, device: state.device,
      directories: UInt64(state.directories.count), entries: UInt64(state.entries.count),
      names: UInt64(state.names.count), saved: saved ?? rules, rules: rules)
    unsafe withUnsafeMutableBytes(of: &header.magic) { unsafe $0.copyBytes(from: Self.magic) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(MemoryLayout<Header>.size + state.byteCount + ObjectID.byteCount)
    unsafe withUnsafeBytes(of: &header) { unsafe bytes.append(contentsOf: $0) }
    unsafe state.directories.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    unsafe state.entries.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    bytes += state.names
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }

  /// Reads a cache.
  ///
  /// - Returns: `nil` if the bytes are not exactly what ``encoded()`` writes.
  /// - Complexity: O(*n*) in the bytes, nearly all of it the SHA-256.
  public init?(validating bytes: [UInt8]) {
    let headerSize = MemoryLayout<Header>.size
    let end = bytes.count - ObjectID.byteCount
    guard end >= headerSize, bytes.starts(with: Self.magic) else { return nil }
    let header = unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(as: Header.self) }
    guard header.version == Self.version, header.hasSaved <= 1 else { return nil }
    let limit = UInt64(UInt32.max)
    guard header.directories <= limit, header.entries <= limit, header.names <= UInt64(end) else { return nil }
    let directories = Int(header.directories) * MemoryLayout<StatDirectory>.stride
    let entries = Int(header.entries) * MemoryLayout<StatEntry>.stride
    guard headerSize + directories + entries + Int(header.names) == end else { return nil }
    guard (try? ObjectID(bytes: bytes.span.extracting(end...))) == ObjectID(hashing: bytes.span.extracting(first: end))
    else { return nil }

    var state = TreeState()
    state.device = header.device
    state.directories = Array(copying: bytes, from: headerSize, count: Int(header.directories))
    state.entries = Array(copying: bytes, from: headerSize + directories, count: Int(header.entries))
    state.names = Array(bytes[(end - Int(header.names))..<end])
    guard state.isConsistent else { return nil }
    self.init(state: state, saved: header.hasSaved == 1 ? header.saved : nil, rules: header.rules)
  }
}

extension Array where Element: BitwiseCopyable {
  /// Copies `count` values that lie in `bytes` from `start` on. The bytes MUST be there, and any bytes must make a value.
  init(copying bytes: [UInt8], from start: Int, count: Int) {
    guard count > 0 else {
      self = []
      return
    }
    self = unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      let length = count * MemoryLayout<Element>.stride
      unsafe bytes.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[start..<(start + length)]))
      }
      initialized = count
    }
  }
}

extension TreeState {
  /// Whether every number refers to what is there, so that no cache, however it was made, can lead outside the arrays.
  fileprivate var isConsistent: Bool {
    var nextEntry = 0
    var nextName: UInt64 = 0
    var nextChild = 1
    if directories.isEmpty { return entries.count == 1 && entries[0].nameLength == 0 && names.isEmpty }
    for (number, directory) in directories.enumerated() {
      guard Int(directory.firstEntry) == nextEntry, nextEntry + Int(directory.entryCount) <= entries.count,
        directory.namesOffset == nextName, directory.namesLength <= UInt64(names.count) - nextName,
        Int(directory.firstChild) == nextChild, nextChild + Int(directory.childCount) <= directories.count,
        number == 0 || Int(directory.parent) < number
      else { return false }
      var offset: UInt64 = 0
      var children = 0
      for index in directory.entries {
        let entry = entries[index]
        guard UInt64(entry.nameOffset) == offset, (1...4).contains(entry.mode) else { return false }
        if entry.isDirectory {
          let child = nextChild + children
          guard child < directories.count, Int(directories[child].parent) == number,
            Int(directories[child].entryInParent) == index - nextEntry
          else { return false }
          children += 1
        }
        offset += UInt64(entry.nameLength) + 1
      }
      guard offset == directory.namesLength, children == Int(directory.childCount) else { return false }
      nextEntry += Int(directory.entryCount)
      nextName += directory.namesLength
      nextChild += children
    }
    return nextEntry == entries.count && nextName == UInt64(names.count) && nextChild == directories.count
  }
}
