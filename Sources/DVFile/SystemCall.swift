import CLinux
import Synchronization
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Every system call that dv makes on files, in one place: here a call is tried again after a signal (EINTR), and here
/// a ``FaultPlan`` can make it fail.
///
/// Paths are NUL-terminated C strings and `directory` is a descriptor or ``here``.
enum SystemCall {
  /// The directory that relative paths start from.
  static let here = AT_FDCWD

  /// Makes a call until it is not interrupted by a signal.
  @inline(__always)
  private static func retrying<R: SignedInteger>(_ call: () -> R) throws(Errno) -> R {
    try FaultPlan.pass()
    while true {
      let result = call()
      if result != -1 { return result }
      let code = errno
      if code != EINTR { throw Errno(rawValue: code) }
    }
  }

  /// Makes a call that must not be repeated, even when a signal interrupted it.
  @inline(__always)
  private static func once<R: SignedInteger>(_ call: () -> R) throws(Errno) -> R {
    try FaultPlan.pass()
    let result = call()
    if result == -1 { throw Errno(rawValue: errno) }
    return result
  }

  // MARK: - Opening and closing

  static func open(
    _ directory: CInt, _ path: UnsafePointer<CChar>, _ flags: CInt, _ mode: mode_t = 0
  ) throws(Errno) -> CInt {
    try retrying { unsafe openat(directory, path, flags | O_CLOEXEC, mode) }
  }

  static func openBeneath(
    _ directory: CInt, _ path: UnsafePointer<CChar>, _ flags: CInt, _ mode: mode_t = 0
  ) throws(Errno) -> CInt {
    try retrying { unsafe dv_openat_beneath(directory, path, flags | O_CLOEXEC, UInt32(mode)) }
  }

  /// Closes a descriptor. Linux frees it even when close fails, so a failed close is never repeated.
  static func close(_ descriptor: CInt) throws(Errno) {
    do {
      _ = try once { Self.rawClose(descriptor) }
    } catch {
      // A call that a plan made fail was not made: the descriptor must not leak into the rest of the test.
      if FaultPlan.current != nil { _ = rawClose(descriptor) }
      throw error
    }
  }

  /// Closes a descriptor whose contents no longer matter.
  static func closeQuietly(_ descriptor: CInt) { _ = rawClose(descriptor) }

  private static func rawClose(_ descriptor: CInt) -> CInt {
    #if canImport(Glibc)
      Glibc.close(descriptor)
    #else
      Musl.close(descriptor)
    #endif
  }

  // MARK: - Bytes

  static func read(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int) throws(Errno) -> Int {
    #if canImport(Glibc)
      try retrying { unsafe Glibc.read(descriptor, buffer, count) }
    #else
      try retrying { unsafe Musl.read(descriptor, buffer, count) }
    #endif
  }

  static func pread(
    _ descriptor: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int, at offset: UInt64
  ) throws(Errno) -> Int {
    #if canImport(Glibc)
      try retrying { unsafe Glibc.pread(descriptor, buffer, count, off_t(offset)) }
    #else
      try retrying { unsafe Musl.pread(descriptor, buffer, count, off_t(offset)) }
    #endif
  }

  /// Reads what will not be needed again soon: pages that the read brings in do not stay in memory.
  ///
  /// - Parameter offset: `nil` for the file's position.
  static func readOnce(
    _ descriptor: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int, at offset: UInt64?
  ) throws(Errno) -> Int {
    if cannotReadUncached.load(ordering: .relaxed) {
      if let offset { return try unsafe pread(descriptor, buffer, count, at: offset) }
      return try unsafe read(descriptor, buffer, count)
    }
    do throws(Errno) {
      return try retrying { unsafe dv_read_uncached(descriptor, buffer, count, offset.map { Int64($0) } ?? -1) }
    } catch {
      guard error == .notSupportedOnSocket || error == .invalidArgument || error == .noFunction else { throw error }
      if error == .noFunction { cannotReadUncached.store(true, ordering: .relaxed) }
      if let offset { return try unsafe pread(descriptor, buffer, count, at: offset) }
      return try unsafe read(descriptor, buffer, count)
    }
  }

  /// Whether the kernel lacks ``readOnce(_:_:_:at:)`` for every file; a file system may lack it for its own.
  private static let cannotReadUncached = Atomic(false)

  /// Writes once; may write less than asked.
  static func write(_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int) throws(Errno) -> Int {
    if let part = try FaultPlan.passWrite(of: count) {
      _ = unsafe rawWrite(descriptor, bytes, part)
      FaultPlan.stopProcess()
    }
    return try uncounted { unsafe rawWrite(descriptor, bytes, count) }
  }

  /// Writes once; may write less than asked.
  static func pwrite(
    _ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int, at offset: UInt64
  ) throws(Errno) -> Int {
    if let part = try FaultPlan.passWrite(of: count) {
      // Whole disk blocks, or a direct write would be refused and tear nothing.
      _ = unsafe rawPwrite(descriptor, bytes, part & ~4095, off_t(offset))
      FaultPlan.stopProcess()
    }
    return try uncounted { unsafe rawPwrite(descriptor, bytes, count, off_t(offset)) }
  }

  @inline(__always)
  private static func uncounted(_ call: () -> Int) throws(Errno) -> Int {
    while true {
      let result = call()
      if result != -1 { return result }
      let code = errno
      if code != EINTR { throw Errno(rawValue: code) }
    }
  }

  private static func rawWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.write(descriptor, bytes, count)
    #else
      unsafe Musl.write(descriptor, bytes, count)
    #endif
  }

  private static func rawPwrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int, _ offset: off_t) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.pwrite(descriptor, bytes, count, offset)
    #else
      unsafe Musl.pwrite(descriptor, bytes, count, offset)
    #endif
  }

  /// Waits until the file's bytes are on the disk. Never repeated: after a failure the bytes may be gone although a
  /// second call would succeed.
  static func synchronize(_ descriptor: CInt) throws(Errno) {
    _ = try once { fsync(descriptor) }
  }

  static func truncate(_ descriptor: CInt, to length: UInt64) throws(Errno) {
    _ = try retrying { ftruncate(descriptor, off_t(length)) }
  }

  static func reserve(_ descriptor: CInt, from offset: UInt64, count: UInt64) throws(Errno) {
    _ = try retrying { dv_fallocate_keep_size(descriptor, Int64(offset), Int64(count)) }
  }

  static func seekToStart(_ descriptor: CInt) throws(Errno) {
    _ = try once { Int64(lseek(descriptor, 0, SEEK_SET)) }
  }

  static func clone(_ source: CInt, into descriptor: CInt) throws(Errno) {
    _ = try retrying { ioctl(descriptor, UInt(dv_FICLONE), source) }
  }

  // MARK: - What is there

  static func stat(_ directory: CInt, _ path: UnsafePointer<CChar>) throws(Errno) -> FileStat {
    #if canImport(Glibc)
      var result = Glibc.stat()
    #else
      var result = Musl.stat()
    #endif
    _ = try retrying { unsafe fstatat(directory, path, &result, AT_SYMLINK_NOFOLLOW) }
    return FileStat(result)
  }

  static func statFollowing(_ directory: CInt, _ path: UnsafePointer<CChar>) throws(Errno) -> FileStat {
    #if canImport(Glibc)
      var result = Glibc.stat()
    #else
      var result = Musl.stat()
    #endif
    _ = try retrying { unsafe fstatat(directory, path, &result, 0) }
    return FileStat(result)
  }

  static func stat(_ descriptor: CInt) throws(Errno) -> FileStat {
    #if canImport(Glibc)
      var result = Glibc.stat()
    #else
      var result = Musl.stat()
    #endif
    _ = try retrying { unsafe fstat(descriptor, &result) }
    return FileStat(result)
  }

  static func readEntries(_ directory: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int) throws(Errno) -> Int {
    try retrying { unsafe dv_getdents64(directory, buffer, count) }
  }

  static func readLink(
    _ directory: CInt, _ path: UnsafePointer<CChar>, _ buffer: UnsafeMutablePointer<CChar>, _ count: Int
  ) throws(Errno) -> Int {
    try retrying { unsafe readlinkat(directory, path, buffer, count) }
  }

  // MARK: - Names

  static func makeDirectory(_ directory: CInt, _ path: UnsafePointer<CChar>, _ mode: mode_t) throws(Errno) {
    _ = try retrying { unsafe mkdirat(directory, path, mode) }
  }

  static func remove(_ directory: CInt, _ path: UnsafePointer<CChar>, _ flags: CInt = 0) throws(Errno) {
    _ = try retrying { unsafe unlinkat(directory, path, flags) }
  }

  static func rename(
    _ fromDirectory: CInt, _ from: UnsafePointer<CChar>, _ toDirectory: CInt, _ to: UnsafePointer<CChar>
  ) throws(Errno) {
    _ = try retrying { unsafe renameat(fromDirectory, from, toDirectory, to) }
  }

  static func renameNoReplace(
    _ fromDirectory: CInt, _ from: UnsafePointer<CChar>, _ toDirectory: CInt, _ to: UnsafePointer<CChar>
  ) throws(Errno) {
    _ = try retrying { unsafe dv_rename_noreplace(fromDirectory, from, toDirectory, to) }
  }

  static func link(
    _ fromDirectory: CInt, _ from: UnsafePointer<CChar>, _ toDirectory: CInt, _ to: UnsafePointer<CChar>
  ) throws(Errno) {
    _ = try retrying { unsafe linkat(fromDirectory, from, toDirectory, to, 0) }
  }

  static func symlink(_ target: UnsafePointer<CChar>, _ directory: CInt, _ path: UnsafePointer<CChar>) throws(Errno) {
    _ = try retrying { unsafe symlinkat(target, directory, path) }
  }

  static func setMode(_ descriptor: CInt, _ mode: mode_t) throws(Errno) {
    _ = try retrying { fchmod(descriptor, mode) }
  }

  static func setMode(_ directory: CInt, _ path: UnsafePointer<CChar>, _ mode: mode_t) throws(Errno) {
    _ = try retrying { unsafe fchmodat(directory, path, mode, AT_SYMLINK_NOFOLLOW) }
  }

  // MARK: - The rest

  /// - Parameter isStandIn: whether the file stands in for one on a file system without locks.
  static func lock(_ descriptor: CInt, _ operation: CInt, isStandIn: Bool = false) throws(Errno) {
    if !isStandIn, FaultPlan.refusesLocks { throw .noLocks }
    _ = try retrying { flock(descriptor, operation) }
  }

  /// Blocks this thread.
  static func sleep(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    unsafe nanosleep(&time, nil)
  }

  static func setDirectWriting(_ descriptor: CInt) throws(Errno) {
    let flags = try retrying { fcntl(descriptor, F_GETFL) }
    _ = try retrying { fcntl(descriptor, F_SETFL, flags | CInt(dv_O_DIRECT)) }
  }

  static func clearDirectWriting(_ descriptor: CInt) throws(Errno) {
    let flags = try retrying { fcntl(descriptor, F_GETFL) }
    _ = try retrying { fcntl(descriptor, F_SETFL, flags & ~CInt(dv_O_DIRECT)) }
  }

  /// Tells the kernel how a file will be read. Advice only: what comes of it does not matter.
  static func advise(_ descriptor: CInt, _ advice: CInt) {
    _ = posix_fadvise(descriptor, 0, 0, advice)
  }
}

/// Reading does not update the time of the last access.
let noAccessTime = CInt(dv_O_NOATIME)

/// Writing goes from our memory to the disk, past the page cache.
let directWriting = CInt(dv_O_DIRECT)
