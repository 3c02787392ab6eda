import DVObject

/// One name of a directory as it was last seen on disk.
///
/// Entries lie in one flat array, 72 bytes each, in memory as in the file (see `docs/format/stat-cache.md`): a million
/// of them are 72 MB and are read and written without touching them one by one.
struct StatEntry: Sendable, BitwiseCopyable {
  /// The SHA-256 of the content on disk or of what was saved, as the flags say. A directory's stands in its
  /// ``StatDirectory``.
  var oid: ObjectID
  var inode: UInt64
  /// Bytes.
  var size: UInt64
  /// When the content last changed, in nanoseconds since 1970.
  var modified: Int64
  /// When anything about the file last changed, in nanoseconds since 1970.
  var changed: Int64
  /// Where the name begins, counted from the first name of its directory. A zero byte follows each name.
  var nameOffset: UInt32
  var nameLength: UInt8
  /// An ``EntryMode``, raw.
  var mode: UInt8
  var flags: Flags
  /// The mode that was last added or checked out under this name; 0 if nothing was.
  var savedMode: UInt8 = 0

  /// What is known of an entry.
  struct Flags: OptionSet, Sendable, BitwiseCopyable {
    var rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// ``StatEntry/oid`` is that of the content on disk.
    static let hashed = Flags(rawValue: 1)
    /// The identity is old enough to be believed: see `docs/racy.md`.
    static let trusted = Flags(rawValue: 2)
    /// ``StatEntry/oid`` was added or checked out under this name. Without ``hashed`` the content on disk may be another.
    static let saved = Flags(rawValue: 4)
  }

  /// Whether the name stands for a directory.
  var isDirectory: Bool { mode == EntryMode.directory.rawValue }

  /// Whether nothing needs to be read to know the content.
  var isKnown: Bool { isDirectory || flags.contains(.hashed) }
}

/// One directory as it was last seen on disk, 112 bytes in memory and in the file.
///
/// Directories are numbered level by level, so the directories within one follow each other: the *k*-th directory among
/// its entries is number ``firstChild`` + *k*.
struct StatDirectory: Sendable, BitwiseCopyable {
  /// The oid of the tree; meaningful if ``isHashed``.
  var oid: ObjectID
  var device: UInt64
  var inode: UInt64
  /// The totals below the directory; meaningful if ``isHashed``.
  var files: UInt64
  /// Bytes.
  var bytes: UInt64
  /// Where its first name begins among all names.
  var namesOffset: UInt64
  /// How many bytes its names take, with the zero byte after each.
  var namesLength: UInt64
  var firstEntry: UInt32
  var entryCount: UInt32
  var firstChild: UInt32
  var childCount: UInt32
  /// The directory that holds it; the root's is 0.
  var parent: UInt32
  /// Which of its parent's entries it is, counted from the parent's first.
  var entryInParent: UInt32
  /// 1 if ``oid`` and the totals are known.
  var hashed: UInt32
  /// Keeps the bytes of the file defined.
  var padding: UInt32 = 0

  var isHashed: Bool { hashed == 1 }

  /// Its entries among all entries.
  var entries: Range<Int> { Int(firstEntry)..<(Int(firstEntry) + Int(entryCount)) }

  /// The directories within it among all directories.
  var children: Range<Int> { Int(firstChild)..<(Int(firstChild) + Int(childCount)) }
}
