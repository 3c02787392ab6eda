public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A lock that processes on this machine respect, held until it goes away or the process ends.
///
/// It is `flock(2)` on a file made for it, which stays: to remove it would let two processes lock two files of one name.
public struct FileLock: ~Copyable, Sendable {
  /// Who may hold the lock at the same time.
  public enum Mode: Sendable {
    /// Many, as long as nobody holds it alone.
    case shared
    /// One alone.
    case exclusive
  }

  private let descriptor: Descriptor

  private init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// Takes the lock of the file at `path`, creating the file if it is missing, and blocks until it is free.
  public static func wait(for path: FilePath, _ mode: Mode) throws(FileError) -> FileLock {
    let lock = FileLock(Descriptor(try open(path)))
    do throws(Errno) {
      try SystemCall.lock(lock.descriptor.number, mode == .shared ? LOCK_SH : LOCK_EX)
    } catch {
      throw .lock(path, error)
    }
    return lock
  }

  /// Takes the lock of the file at `path`, creating the file if it is missing.
  ///
  /// - Returns: `nil` if another process, or this one, holds it.
  public static func attempt(_ path: FilePath, _ mode: Mode) throws(FileError) -> FileLock? {
    let lock = FileLock(Descriptor(try open(path)))
    do throws(Errno) {
      try SystemCall.lock(lock.descriptor.number, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB)
    } catch {
      if error == .wouldBlock { return nil }
      throw .lock(path, error)
    }
    return lock
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
