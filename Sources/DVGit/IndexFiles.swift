import SystemPackage

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The files of one update of the index, as ``GitIndexUpdate`` describes them.
///
/// The system calls stand here, and not on a floor above, because git's lock protocol is a part of reading git.
struct IndexFiles {
  let index: FilePath
  let lockFile: FilePath
  /// What libgit2 changes. Whoever has the lock may remove all such names: a dead process left them, or somebody reads by
  /// them, who sees that they went.
  let working: FilePath

  /// - Parameter secondName: the name of what libgit2 changes, one of ``newSecondName()`` or none in particular.
  init(gitDirectory: FilePath, secondName: FilePath.Component? = nil) {
    index = gitDirectory.appending("index")
    lockFile = gitDirectory.appending("index.lock")
    working = gitDirectory.appending(secondName ?? FilePath.Component(Self.prefix)!)  // a fixed name without a slash
  }

  private static let prefix = "index.dv"

  /// Returns a name that no other process uses.
  static func newSecondName() -> FilePath.Component {
    FilePath.Component("\(prefix)-\(String(UInt64.random(in: .min ... .max), radix: 16))")!  // no slash in it
  }

  /// Gives the index its second name without the lock. Returns `false` if that cannot be.
  func linkSecondName() -> Bool { unsafe call(link, index, working) == 0 }

  /// Takes the second name away. Returns `false` if somebody did before.
  func unlinkSecondName() -> Bool { unsafe working.withPlatformString { unsafe unlink($0) } == 0 }

  /// What the lock file of dv begins with. Its creator holds `flock(2)` on it, so that others see whether it is alive.
  private static let mark = Array("dv-lock 1\n".utf8)

  /// Creates the lock file. One that a dv left which was killed is removed first.
  ///
  /// - Returns: what keeps the file known as that of a living process; to be closed when it was removed.
  /// - Throws: ``GitError/Code/busy`` if there is one.
  func lock() throws(GitError) -> FileDescriptor {
    removeAbandonedLock()
    do {
      // It gets its name when it is locked and marked: a dv that is killed before leaves nothing.
      return try unnamedLock() ?? namedLock()
    } catch Errno.fileExists {
      throw GitError(.busy, "'\(lockFile)' exists.")
    } catch {
      throw GitError(.other, "Cannot create '\(lockFile)': \(error).")
    }
  }

  /// - Returns: `nil` where the file system has no unnamed files, or no locks.
  private func unnamedLock() throws(Errno) -> FileDescriptor? {
    let number = unsafe index.removingLastComponent().withPlatformString { unsafe open($0, unnamedFile | O_WRONLY | O_CLOEXEC, 0o666) }
    guard number >= 0 else { return nil }
    let descriptor = FileDescriptor(rawValue: number)
    guard flock(number, LOCK_EX | LOCK_NB) == 0, (try? descriptor.writeAll(Self.mark)) != nil else {
      try? descriptor.close()
      return nil
    }
    let status = unsafe "/proc/self/fd/\(number)".withCString { from in
      unsafe lockFile.withPlatformString { to in unsafe linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) }
    }
    if status == 0 { return descriptor }
    let failure = Errno(rawValue: errno)
    try? descriptor.close()
    if failure == .fileExists { throw failure }
    return nil
  }

  private func namedLock() throws -> FileDescriptor {
    let descriptor = try FileDescriptor.open(
      lockFile, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .init(rawValue: 0o666))
    if flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 { _ = try? descriptor.writeAll(Self.mark) }
    return descriptor
  }

  /// Removes the lock file if a dv made it that is dead.
  ///
  /// Two who find it at once: one locks it and removes it, the other finds it locked, or that the name is not this file's
  /// any more.
  func removeAbandonedLock() {
    guard let descriptor = try? FileDescriptor.open(lockFile, .readOnly, options: [.noFollow, .closeOnExec]) else { return }
    defer { try? descriptor.close() }
    var bytes = [UInt8](repeating: 0, count: Self.mark.count + 1)
    guard let count = try? unsafe bytes.withUnsafeMutableBytes({ unsafe try descriptor.read(into: $0) }),
      bytes[..<count].elementsEqual(Self.mark), flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0
    else { return }
    var (held, named) = (stat(), stat())
    guard unsafe fstat(descriptor.rawValue, &held) == 0, unsafe lockFile.withPlatformString({ unsafe lstat($0, &named) }) == 0,
      held.st_dev == named.st_dev, held.st_ino == named.st_ino
    else { return }
    remove(lockFile)
  }

  /// Gives the index its second name.
  ///
  /// - Returns: `false` if there is no index yet.
  func makeSecondName() throws(GitError) -> Bool {
    removeSecondNames()
    guard unsafe call(link, index, working) != 0 else { return true }
    let failure = Errno(rawValue: errno)
    guard failure != .noSuchFileOrDirectory else { return false }
    // What could not be removed may be the index itself by another name: nothing is written to it.
    guard failure != .fileExists else { throw GitError(.other, "Cannot remove '\(working)', which a killed dv left.") }
    // Some file systems have no hard links.
    do {
      try copy()
    } catch {
      throw GitError(.other, "Cannot link '\(index)' to '\(working)' (\(failure)), nor copy it: \(error).")
    }
    return true
  }

  /// Removes ``working`` and every other second name, with what libgit2 locks them by.
  private func removeSecondNames() {
    let directory = index.removingLastComponent()
    guard let stream = unsafe directory.withPlatformString({ unsafe opendir($0) }) else { return }
    defer { unsafe closedir(stream) }
    let start = MemoryLayout<dirent>.offset(of: \dirent.d_name)!  // a stored property has one
    var found: [String] = []
    while let entry = unsafe readdir(stream) {
      // At its place: a record is shorter than the type, and its name ends with a zero byte.
      let name = unsafe String(cString: UnsafeRawPointer(entry).advanced(by: start).assumingMemoryBound(to: CChar.self))
      if name == Self.prefix || name == Self.prefix + ".lock" || name.hasPrefix(Self.prefix + "-") { found.append(name) }
    }
    for name in found { remove(directory.appending(name)) }
  }

  /// Copies the index with its time of change, by which libgit2 knows entries too young to trust.
  private func copy() throws {
    let source = try FileDescriptor.open(index, .readOnly)
    defer { try? source.close() }
    let target = try FileDescriptor.open(
      working, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: 0o666))
    defer { try? target.close() }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = try unsafe buffer.withUnsafeMutableBytes { unsafe try source.read(into: $0) }
      guard count > 0 else { break }
      try target.writeAll(buffer[..<count])
    }
    var status = stat()
    guard unsafe fstat(source.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
    let times = [status.st_atim, status.st_mtim]
    guard unsafe futimens(target.rawValue, times) == 0 else { throw Errno(rawValue: errno) }
  }

  /// Makes what libgit2 wrote the index, and releases the lock.
  func publish() throws(GitError) {
    guard unsafe call(rename, working, index) == 0 else {
      throw GitError(.other, "Cannot rename '\(working)' to '\(index)': \(Errno(rawValue: errno)).")
    }
    remove(lockFile)
  }

  /// Removes what was made, and releases the lock.
  func discard() {
    remove(working)
    remove(lockFile)
  }

  /// `O_TMPFILE`, which Swift does not see.
  private var unnamedFile: CInt { 0o20_000_000 | O_DIRECTORY }

  private func remove(_ path: FilePath) {
    _ = unsafe path.withPlatformString { unsafe unlink($0) }
  }

  private func call(
    _ function: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> CInt, _ from: FilePath, _ to: FilePath
  ) -> CInt {
    unsafe from.withPlatformString { from in unsafe to.withPlatformString { to in unsafe function(from, to) } }
  }
}

/// Blocks this thread.
func sleep(for duration: Duration) {
  let (seconds, attoseconds) = duration.components
  var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
  unsafe nanosleep(&time, nil)
}
