import DVFile
import DVObject

/// What the pointers of a working tree said when they were last read, by the identity of their files.
///
/// Looking at a file costs a fifth of reading it, which counts where each of thousands of files has a pointer of its own. The
/// cache only saves time: one that is absent, damaged or of another version reads as `nil`. See `docs/format/stat-cache.md`.
public struct PointerCache: Sendable {
  /// A pointer that was read, 128 bytes in memory and in the file.
  struct Entry: Sendable, BitwiseCopyable {
    var oid: ObjectID
    /// Meaningful if ``hasRun``.
    var run: ObjectID
    var device: UInt64
    var inode: UInt64
    /// Bytes of the pointer itself.
    var length: UInt64
    /// Nanoseconds since 1970.
    var modified: Int64
    var changed: Int64
    /// What the pointer says: bytes, and files if it is a tree.
    var size: UInt64
    var files: UInt64
    /// Where its path begins among the paths.
    var pathOffset: UInt32
    var pathLength: UInt16
    /// 0 for a file, 1 for one that is executable, 2 for a tree.
    var kind: UInt8
    /// 1 if there is a run.
    var hasRun: UInt8
  }

  /// In the order of the paths.
  private(set) var entries: [Entry] = []
  private(set) var paths: [UInt8] = []

  /// Makes one that knows nothing.
  public init() {}

  func path(of entry: Entry) -> ArraySlice<UInt8> {
    paths[Int(entry.pathOffset)..<(Int(entry.pathOffset) + Int(entry.pathLength))]
  }

  /// Whether the entry at `index` is about what comes before `path`; nothing comes after the last.
  private func precedes(_ index: Int, _ path: TreePath) -> Bool {
    guard index < entries.count else { return false }
    let entry = entries[index]
    return TreePath.precedes(
      paths.span.extracting(Int(entry.pathOffset)..<(Int(entry.pathOffset) + Int(entry.pathLength))), path.bytes.span)
  }

  /// Returns the place of `path`, or of what comes after it.
  ///
  /// - Parameter place: where the path before was, as those that are asked for in order are one behind the other.
  private func index(of path: TreePath, near place: Int) -> Int {
    if precedes(place, path), !precedes(place + 1, path) { return place + 1 }
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if precedes(middle, path) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Returns the pointer at `path` if its file is the one that was read.
  ///
  /// - Parameter place: where the path before was found, and then this.
  /// - Complexity: O(log *n*), O(1) for paths that are asked for in order.
  func pointer(at path: TreePath, _ stat: FileStat, near place: inout Int) -> Pointer? {
    place = index(of: path, near: place)
    guard place < entries.count, case let entry = entries[place], self.path(of: entry).elementsEqual(path.bytes),
      stat.kind == .regular, entry.device == stat.device, entry.inode == stat.inode, entry.length == stat.size,
      entry.modified == stat.modified.nanosecondsSince1970, entry.changed == stat.changed.nanosecondsSince1970
    else { return nil }
    let run = entry.hasRun == 1 ? entry.run : nil
    return entry.kind == 2
      ? Pointer(tree: entry.oid, totals: TreeTotals(files: entry.files, bytes: entry.size), run: run)
      : Pointer(file: entry.oid, size: entry.size, executable: entry.kind == 1, run: run)
  }

  /// Adds a pointer, if its file can be told apart from any it becomes later. Paths MUST come in ascending order.
  mutating func append(_ path: TreePath, _ pointer: Pointer, _ stat: FileStat, _ rule: TrustRule) {
    guard let modified = stat.modified.nanosecondsSince1970, let changed = stat.changed.nanosecondsSince1970,
      rule.trusts(modified: modified, changed: changed), let length = UInt16(exactly: path.bytes.count),
      let offset = UInt32(exactly: paths.count)
    else { return }
    entries.append(
      Entry(
        oid: pointer.oid, run: pointer.run ?? pointer.oid, device: stat.device, inode: stat.inode, length: stat.size,
        modified: modified, changed: changed, size: pointer.size, files: pointer.files ?? 0, pathOffset: offset,
        pathLength: length, kind: pointer.kind == .tree ? 2 : pointer.executable ? 1 : 0, hasRun: pointer.run == nil ? 0 : 1))
    paths += path.bytes
  }

  // MARK: The file

  private static let magic: [UInt8] = Array("dv-ptrs\u{1}".utf8)
  private static let headerSize = 24

  /// Returns the bytes of the file.
  public func encoded() -> [UInt8] {
    var bytes = Self.magic
    bytes.reserveCapacity(Self.headerSize + entries.count * MemoryLayout<Entry>.stride + paths.count + ObjectID.byteCount)
    for count in [entries.count, paths.count] { unsafe withUnsafeBytes(of: UInt64(count)) { unsafe bytes.append(contentsOf: $0) } }
    unsafe entries.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    bytes += paths
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }

  /// Reads a cache; `nil` if the bytes are not what ``encoded()`` writes.
  public init?(validating bytes: [UInt8]) {
    let end = bytes.count - ObjectID.byteCount
    guard end >= Self.headerSize, bytes.starts(with: Self.magic) else { return nil }
    let counts = [UInt64](copying: bytes, from: Self.magic.count, count: 2)
    guard counts[0] <= UInt64(UInt32.max), counts[1] <= UInt64(end),
      Self.headerSize + Int(counts[0]) * MemoryLayout<Entry>.stride + Int(counts[1]) == end,
      (try? ObjectID(bytes: bytes.span.extracting(end...))) == ObjectID(hashing: bytes.span.extracting(first: end))
    else { return nil }
    entries = Array(copying: bytes, from: Self.headerSize, count: Int(counts[0]))
    paths = Array(bytes[(end - Int(counts[1]))..<end])
    guard entries.allSatisfy({ Int($0.pathOffset) + Int($0.pathLength) <= paths.count && $0.kind <= 2 }) else { return nil }
  }
}
