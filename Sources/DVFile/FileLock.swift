public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A lock that other processes respect, held until it goes away or the process ends: none is ever left behind.
///
/// It is `flock(2)` on a file made for it, which stays: to remove it would let two processes lock two files of one name.
///
/// On a file system without locks, such as NFS without its lock service, the user's processes on this machine still respect
/// each other: they lock a file in `/tmp/dv-locks-<uid>` in place of it. See ``isRespectedEverywhere``.
public struct FileLock: ~Copyable, Sendable {
  /// Who may hold the lock at the same time.
  public enum Mode: Sendable {
    /// Many, as long as nobody holds it alone.
    case shared
    /// One alone.
    case exclusive
  }

  private let descriptor: Descriptor

  /// Whether all processes respect it that use the same file, on this machine and on others. If not, to hold it does not
  /// prove that nobody else is there.
  public let isRespectedEverywhere: Bool

  private init(_ descriptor: consuming Descriptor, isRespectedEverywhere: Bool) {
    self.descriptor = descriptor
    self.isRespectedEverywhere = isRespectedEverywhere
  }

  /// Takes the lock of the file at `path`, creating the file if it is missing, and blocks until it is free.
  ///
  /// - Throws: ``FileError`` with code `busy` if that takes longer than ``LockPatience/current`` allows.
  public static func wait(for path: FilePath, _ mode: Mode) throws(FileError) -> FileLock {
    let patience = LockPatience.current
    guard let lock = try patience.wait(for: path, { () throws(FileError) in try attempt(path, mode) }) else {
      throw FileError(
        code: .busy, path: path,
        message: "Another process has held the lock '\(path.printable)' for \(patience.limit.components.seconds) seconds. Nothing was "
          + "done; try again when it has ended. The lock ends with it: nothing is to be removed.")
    }
    return lock
  }

  /// Takes the lock of the file at `path`, creating the file if it is missing.
  ///
  /// - Returns: `nil` if another process, or this one, holds it.
  public static func attempt(_ path: FilePath, _ mode: Mode) throws(FileError) -> FileLock? {
    let operation = (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB
    let file = Descriptor(try open(path))
    do throws(Errno) {
      try SystemCall.lock(file.number, operation)
      return FileLock(file, isRespectedEverywhere: true)
    } catch {
      switch error {
      case .wouldBlock: return nil
      case .noLocks, .notSupported, .noFunction, .invalidArgument: break
      default: throw .lock(path, error)
      }
    }
    guard let standIn = standIn(for: file.number) else { return FileLock(file, isRespectedEverywhere: false) }
    let local = Descriptor(standIn)
    do throws(Errno) {
      try SystemCall.lock(local.number, operation, isStandIn: true)
    } catch {
      if error == .wouldBlock { return nil }
    }
    return FileLock(local, isRespectedEverywhere: false)
  }

  /// Opens the file that is locked in place of one on a file system without locks; `nil` if there can be none.
  private static func standIn(for descriptor: CInt) -> CInt? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    let folder = FilePath("/tmp/dv-locks-\(geteuid())")
    _ = unsafe folder.withPlatformString { unsafe mkdir($0, 0o700) }
    // Somebody else may have made it first, to have us wait for ever or to read along.
    var owner = stat()
    guard unsafe folder.withPlatformString({ unsafe lstat($0, &owner) }) == 0, owner.st_mode & S_IFMT == S_IFDIR,
      owner.st_uid == geteuid(), owner.st_mode & 0o077 == 0
    else { return nil }
    return try? open(folder.appending("\(status.st_dev)-\(status.st_ino)"))
  }

  private static func open(_ path: FilePath) throws(FileError) -> CInt {
    do throws(Errno) {
      return try unsafe path.withPath { text throws(Errno) in
        try unsafe SystemCall.open(SystemCall.here, text, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666)
      }
    } catch {
      throw .open(path, error)
    }
  }
}
