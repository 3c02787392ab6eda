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
  /// What libgit2 changes. One name for all updates: whoever has the lock may remove what a dead process left.
  let working: FilePath

  init(gitDirectory: FilePath) {
    index = gitDirectory.appending("index")
    lockFile = gitDirectory.appending("index.lock")
    working = gitDirectory.appending("index.dv")
  }

  /// Creates the lock file.
  ///
  /// - Throws: ``GitError/Code/busy`` if there is one.
  func lock() throws(GitError) {
    do {
      try FileDescriptor.open(
        lockFile, .writeOnly, options: [.create, .exclusiveCreate], permissions: .init(rawValue: 0o666)
      )
      .close()
    } catch Errno.fileExists {
      throw GitError(.busy, "'\(lockFile)' exists.")
    } catch {
      throw GitError(.other, "Cannot create '\(lockFile)': \(error).")
    }
  }

  /// Gives the index its second name; none if there is no index yet.
  func makeSecondName() throws(GitError) {
    remove(working)
    remove(FilePath(working.string + ".lock"))
    guard unsafe call(link, index, working) != 0 else { return }
    let failure = Errno(rawValue: errno)
    guard failure != .noSuchFileOrDirectory else { return }
    // Some file systems have no hard links.
    do {
      try copy()
    } catch {
      throw GitError(.other, "Cannot link '\(index)' to '\(working)' (\(failure)), nor copy it: \(error).")
    }
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
