#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a name stands for.
public enum FileKind: UInt8, Hashable, Sendable, BitwiseCopyable {
  case regular, directory, symlink
  /// A socket, a pipe or a device.
  case other
}

/// A moment as the file system keeps it.
public struct FileTime: Hashable, Sendable, Comparable, BitwiseCopyable {
  /// Whole seconds since 1970, UTC; negative before.
  public let seconds: Int64
  /// Nanoseconds into that second, 0 to 999,999,999.
  public let nanoseconds: UInt32

  public init(seconds: Int64, nanoseconds: UInt32) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// The current time of the clock on the wall.
  public static var now: FileTime {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return FileTime(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
  }

  public static func < (left: FileTime, right: FileTime) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }
}

/// What the stat cache keeps of a file, to tell later whether its bytes can have changed.
public struct FileIdentity: Hashable, Sendable, BitwiseCopyable {
  public let device: UInt64
  public let inode: UInt64
  /// Bytes.
  public let size: UInt64
  public let modifiedSeconds: Int64
  public let modifiedNanoseconds: UInt32
  public let changedSeconds: Int64
  public let changedNanoseconds: UInt32

  public init(
    device: UInt64, inode: UInt64, size: UInt64, modifiedSeconds: Int64, modifiedNanoseconds: UInt32,
    changedSeconds: Int64, changedNanoseconds: UInt32
  ) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modifiedSeconds = modifiedSeconds
    self.modifiedNanoseconds = modifiedNanoseconds
    self.changedSeconds = changedSeconds
    self.changedNanoseconds = changedNanoseconds
  }
}

/// What the file system says of one name or open file.
public struct FileStat: Hashable, Sendable, BitwiseCopyable {
  public let kind: FileKind
  /// Permission bits, 0 to 0o7777.
  public let mode: UInt32
  public let device: UInt64
  public let inode: UInt64
  /// Bytes.
  public let size: UInt64
  /// When the content last changed.
  public let modified: FileTime
  /// When the content or anything kept about it last changed.
  public let changed: FileTime
  /// How many names the file has.
  public let links: UInt64
  /// Numeric user.
  public let owner: UInt32
  /// Numeric group.
  public let group: UInt32

  /// Whether the owner may execute it.
  public var isExecutable: Bool { mode & 0o100 != 0 }

  /// What the stat cache keeps.
  public var identity: FileIdentity {
    FileIdentity(
      device: device, inode: inode, size: size, modifiedSeconds: modified.seconds,
      modifiedNanoseconds: modified.nanoseconds, changedSeconds: changed.seconds,
      changedNanoseconds: changed.nanoseconds)
  }

  init(_ raw: stat) {
    kind =
      switch raw.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFLNK: .symlink
      default: .other
      }
    mode = UInt32(raw.st_mode & 0o7777)
    device = UInt64(raw.st_dev)
    inode = UInt64(raw.st_ino)
    size = UInt64(max(0, raw.st_size))
    modified = FileTime(seconds: Int64(raw.st_mtim.tv_sec), nanoseconds: UInt32(raw.st_mtim.tv_nsec))
    changed = FileTime(seconds: Int64(raw.st_ctim.tv_sec), nanoseconds: UInt32(raw.st_ctim.tv_nsec))
    links = UInt64(raw.st_nlink)
    owner = raw.st_uid
    group = raw.st_gid
  }
}
