import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One factory for each system call: what was being done, in words.
extension FileError {
  static func open(_ path: FilePath, _ errno: Errno) -> FileError { .init("open", path, errno) }
  static func create(_ path: FilePath, _ errno: Errno) -> FileError { .init("create", path, errno) }
  static func close(_ path: FilePath, _ errno: Errno) -> FileError { .init("finish writing", path, errno) }
  static func read(_ path: FilePath, _ errno: Errno) -> FileError { .init("read", path, errno) }
  static func write(_ path: FilePath, _ errno: Errno) -> FileError { .init("write", path, errno) }
  static func synchronize(_ path: FilePath, _ errno: Errno) -> FileError { .init("make durable", path, errno) }
  static func truncate(_ path: FilePath, _ errno: Errno) -> FileError { .init("set the length of", path, errno) }
  static func reserve(_ path: FilePath, _ errno: Errno) -> FileError { .init("reserve space for", path, errno) }
  static func stat(_ path: FilePath, _ errno: Errno) -> FileError { .init("look at", path, errno) }
  static func list(_ path: FilePath, _ errno: Errno) -> FileError { .init("list", path, errno) }
  static func readLink(_ path: FilePath, _ errno: Errno) -> FileError { .init("read the link", path, errno) }
  static func makeDirectory(_ path: FilePath, _ errno: Errno) -> FileError { .init("create the directory", path, errno) }
  static func remove(_ path: FilePath, _ errno: Errno) -> FileError { .init("remove", path, errno) }
  static func setMode(_ path: FilePath, _ errno: Errno) -> FileError { .init("set the mode of", path, errno) }
  static func lock(_ path: FilePath, _ errno: Errno) -> FileError { .init("lock", path, errno) }
  static func rename(_ from: FilePath, to: FilePath, _ errno: Errno) -> FileError { .init("rename", from, to: to, errno) }
  static func link(_ from: FilePath, to: FilePath, _ errno: Errno) -> FileError { .init("link", from, to: to, errno) }
  static func clone(_ from: FilePath, to: FilePath, _ errno: Errno) -> FileError { .init("clone", from, to: to, errno) }
  static func run(_ program: FilePath, _ errno: Errno) -> FileError { .init("run", program, errno) }
  static func symlink(_ path: FilePath, _ errno: Errno) -> FileError { .init("create the link", path, errno) }

  private init(_ what: String, _ path: FilePath, to other: FilePath? = nil, _ errno: Errno) {
    let failure = Failure(errno)
    let target = other.map { " to '\($0.printable)'" } ?? ""
    let reason = failure.reason + "." + (failure.remedy.isEmpty ? "" : " " + failure.remedy)
    self.init(
      code: failure.code, path: path, errno: errno.rawValue,
      message: "Cannot \(what) '\(path.printable)'\(target): \(reason)", reason: reason)
  }

  /// What a number means and what helps.
  private struct Failure {
    let code: Code
    let reason: String
    let remedy: String

    init(_ code: Code, _ reason: String, _ remedy: String = "") {
      self.code = code
      self.reason = reason
      self.remedy = remedy
    }

    init(_ errno: Errno) {
      switch errno.rawValue {
      case ENOENT: self.init(.notFound, "there is no such file or directory")
      case EEXIST: self.init(.exists, "something of that name exists already")
      case EACCES: self.init(.denied, "permission denied", "Check who owns it and its mode, and those of its directory.")
      case EPERM:
        self.init(.denied, "operation not permitted", "Check its owner and whether it is marked immutable ('lsattr').")
      case ENOSPC: self.init(.noSpace, "no space left on the device", "Free some space ('df -h', 'df -i') and try again.")
      case EDQUOT: self.init(.noSpace, "the disk quota is used up", "Free some of your space ('quota') and try again.")
      case EFBIG: self.init(.noSpace, "the file is larger than the file system or 'ulimit -f' allows")
      case EROFS: self.init(.readOnly, "the file system is read-only", "Remount it for writing, or use another place.")
      case ENOTDIR: self.init(.notDirectory, "a part of the path is not a directory")
      case EISDIR: self.init(.isDirectory, "it is a directory")
      case ENOTEMPTY: self.init(.notEmpty, "the directory is not empty")
      case EMFILE, ENFILE:
        self.init(.tooManyOpen, "too many open files", "Raise the limit ('ulimit -n') or close other programs.")
      case ELOOP:
        self.init(
          .symlink, "a symbolic link stands in the way", "Links are not followed here: replace it by what it points to.")
      case EXDEV: self.init(.otherFileSystem, "the two places are on different file systems")
      case EWOULDBLOCK, EBUSY, ETXTBSY: self.init(.busy, "another process is using it", "Wait for it to end and try again.")
      case ENAMETOOLONG: self.init(.input, "the name is too long for this file system", "Use a shorter name.")
      case EINVAL: self.init(.unsupported, "the file system does not accept this name or operation")
      case EOPNOTSUPP, ENOSYS, ENOTTY: self.init(.unsupported, "the file system cannot do this")
      case EMLINK: self.init(.unsupported, "it has as many links as the file system allows")
      case ENXIO, ENODEV: self.init(.notRegular, "it is a pipe, a socket or a device")
      case EIO: self.init(.io, "the device failed (input/output error)", "Check the disk and the system's log ('dmesg').")
      case ESTALE: self.init(.io, "the network file system has lost it", "Remount it and try again.")
      default: self.init(.io, "\(errno.description) (error \(errno.rawValue))")
      }
    }
  }
}
