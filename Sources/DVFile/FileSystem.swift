public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The file system that a file lies on.
public struct FileSystem: Hashable, Sendable {
  /// What kind it is, as the kernel names it: `ext4`, `xfs`, `btrfs`, `nfs4`, `overlay`; `nil` if that cannot be told.
  public let kind: String?
  /// Bytes that this user may still write.
  public let freeBytes: UInt64

  /// Looks at the file system that `path`, which must exist, is on.
  public init(of path: FilePath) throws(FileError) {
    var status = statvfs()
    guard unsafe path.withPlatformString({ unsafe statvfs($0, &status) }) == 0 else {
      throw .stat(path, Errno(rawValue: errno))
    }
    freeBytes = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    kind = Self.kind(of: path)
  }

  /// Whether it is on another machine, where locks and times are those of a server.
  public var isRemote: Bool {
    guard let kind else { return false }
    return ["nfs", "cifs", "smb", "9p", "ceph", "lustre", "gpfs", "afs", "beegfs", "fuse.sshfs", "fuse.s3fs"]
      .contains { kind.hasPrefix($0) }
  }

  /// Finds the mount that the path lies in: the longest mount point that is a prefix of it, the last of equal ones.
  private static func kind(of path: FilePath) -> String? {
    guard let bytes = mounts(), let place = resolved(path) else { return nil }
    var best: (length: Int, kind: String)?
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 6, let mark = words.firstIndex(of: "-"), mark + 1 < words.count else { continue }
      let mount = FilePath(unescaped(words[4]))
      guard place.starts(with: mount), mount.string.utf8.count >= best?.length ?? 0 else { continue }
      best = (mount.string.utf8.count, String(words[mark + 1]))
    }
    return best?.kind
  }

  /// The kernel's list of mounts; its size is 0, so it is read to its end.
  private static func mounts() -> [UInt8]? {
    guard let reader = try? FileReader("/proc/self/mountinfo") else { return nil }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while let count = try? reader.read(into: &piece), count > 0 { bytes += piece[..<count] }
    return bytes
  }

  private static func resolved(_ path: FilePath) -> FilePath? {
    unsafe path.withPlatformString { text in
      guard let real = unsafe realpath(text, nil) else { return nil }
      defer { unsafe free(real) }
      return unsafe FilePath(platformString: real)
    }
  }

  /// Undoes the kernel's octal escapes of blanks and backslashes.
  private static func unescaped(_ word: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(word.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3, let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
